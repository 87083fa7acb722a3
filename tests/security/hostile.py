"""Texts that people, tickets and models can send to slow a parser down.

Each kind is a function of a length. It returns a text of about that many characters, in
which one construct is repeated, nested, or never closed.
"""

from collections.abc import Callable, Mapping

#: The longest text of one person that the product must take in its stride.
LONGEST = 200_000

ZERO_WIDTH = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u034f\u061c\u180e\u2063\ufe0f"


def _repeated(unit: str, head: str = "", tail: str = "") -> Callable[[int], str]:
    def text(length: int) -> str:
        left = length - len(head) - len(tail)
        return head + (unit * (left // len(unit) + 1))[: max(0, left)] + tail

    return text


def _nested(opening: str, closing: str) -> Callable[[int], str]:
    def text(length: int) -> str:
        depth = length // (len(opening) + len(closing))
        return opening * depth + closing * depth

    return text


def _runs(character: str) -> Callable[[int], str]:
    """Runs of one, two, three characters and so on, none as long as another."""

    def text(length: int) -> str:
        pieces, size, run = [], 0, 1
        while size < length:
            pieces.append(character * run + "a ")
            size += run + 2
            run += 1
        return "".join(pieces)[:length]

    return text


def _halves(first: str, second: str) -> Callable[[int], str]:
    return lambda length: first * (length // 2) + second * (length // 2)


def _table(columns: int, cell: str) -> Callable[[int], str]:
    def text(length: int) -> str:
        row = "|" + f"{cell}|" * columns + "\n"
        head = "|" + "h|" * columns + "\n|" + "-|" * columns + "\n"
        return head + row * (length // len(row) + 1)

    return text


def _tall_table(head: int) -> Callable[[int], str]:
    return lambda length: f"|{'h' * head}|\n|-|\n" + "|a|\n" * (length // 4)


#: Of one character or one construct each.
TEXTS: Mapping[str, Callable[[int], str]] = {
    # Plain.
    "letters": _repeated("a"),
    "words": _repeated("ab "),
    "one letter a word": _repeated("a "),
    "lines": _repeated("a\n"),
    "digits": _repeated("9"),
    "wide letters": _repeated("漢字。"),
    "blanks": _repeated(" ", "a", "b"),
    "only blanks": _repeated(" "),
    "tabs": _repeated("\t", "a", "b"),
    "line feeds": _repeated("\n", "a", "b"),
    "carriage returns": _repeated("\r", "a", "b"),
    "no-break spaces": _repeated("\u00a0", "a", "b"),
    "line separators": _repeated("\u2028", "a", "b"),
    # What is not seen, or is one character with its neighbour.
    "flags": _repeated("\U0001f1e9"),
    "flags in words": _repeated("\U0001f1e9\U0001f1ea "),
    "combining marks": _repeated("\u0301", "a"),
    "joined emoji": _repeated("\U0001f468\u200d"),
    "skin tones": _repeated("\U0001f3fb", "\U0001f44d"),
    "tag letters": _repeated("\U000e0061", "\U0001f3f4"),
    "variation selectors": _repeated("\ufe0f", "a"),
    "zero-width": _repeated(ZERO_WIDTH),
    "< and zero-width": _repeated(ZERO_WIDTH, "<", "message"),
    "<s and zero-width": _repeated("<\u200b"),
    "<s, zero-widths": _repeated("<" + "\u200b" * 50),
    "marks on letters": _repeated("e\u0301"),
    # Tags.
    "< and blanks": _repeated(" ", "<", "x"),
    "</ and blanks": _repeated(" ", "</", "x"),
    "< and blanks twice": lambda n: "<" * (n // 2) + " " * (n // 2) + "x",
    "<s": _repeated("<"),
    "< < <": _repeated("< "),
    "<s and slashes": _repeated("</"),
    "< and slashes": _repeated("/", "<", "message"),
    "messages": _repeated("<message "),
    "closed messages": _repeated("</message>"),
    "tickets": _repeated("<ticket>"),
    "wide tags": _repeated("＜message＞"),
    "escaped tags": _repeated("&lt;message&gt;"),
    "quoted attributes": _repeated('"', "<message "),
    "messages and quotes": _repeated('<message "'),
    "ampersands": _repeated("&"),
    # Brackets.
    "[s": _repeated("["),
    "]s": _repeated("]"),
    "(s": _repeated("("),
    "{s": _repeated("{"),
    "nested []": _nested("[", "]"),
    "nested {}": _nested('{"a":', "}"),
    "![s": _repeated("!["),
    "!s": _repeated("!"),
    "[![s": _repeated("[!["),
    "images": _repeated("![a](http://b) "),
    "images without an end": _repeated("![a]("),
    "images with a title without an end": _repeated('![a](b "c'),
    "links": _repeated("[a](http://b) "),
    "links without an end": _repeated("[a]("),
    "links in links": _nested("[a ", "](b)"),
    "![](<": _repeated("![](<"),
    "addresses": _repeated("<http://a.b> "),
    "bare addresses": _repeated("http://a.b/c "),
    "backslashes": _repeated("\\"),
    "escapes": _repeated("\\*"),
    # Emphasis and code.
    "stars": _repeated("*"),
    "stars in words": _repeated("* "),
    "bold": _repeated("**a** "),
    "bold without an end": _repeated("**a "),
    "italics": _repeated("*a* "),
    "italics without an end": _repeated("*a "),
    "underscores": _repeated("_"),
    "underscores without an end": _repeated("_a "),
    "strong underscores": _repeated("__a "),
    "tildes": _repeated("~"),
    "struck out": _repeated("~~a "),
    "mixed emphasis": _repeated("**_~~a"),
    "ticks": _repeated("`"),
    "ticks and blanks": _repeated("` "),
    "ticks, then letters": _halves("`", "a"),
    "runs of ticks": _runs("`"),
    "runs of tildes": _runs("~"),
    "code": _repeated("`a` "),
    "code without an end": _repeated("`a\n"),
    "ticks and letters": _repeated("``a`"),
    # Blocks.
    "fences": _repeated("```\n"),
    "open fences": _repeated("```a\n"),
    "a fence without an end": _repeated("a\n", "```\n"),
    "a fence on one line": _repeated("a", "```\n"),
    "tilde fences": _repeated("~~~\n"),
    "three ticks": _repeated("```a"),
    "quotes": _repeated("> "),
    "deep quotes": _repeated(">"),
    "quoted lines": _repeated("> a\n"),
    "headings": _repeated("# a\n"),
    "hashes": _repeated("#"),
    "deep headings": _repeated("#### a\n"),
    "a heading and blanks": _repeated(" ", "#### a", "b"),
    "a heading and hashes": _repeated(" #", "#### a", "b"),
    "rules": _repeated("---\n"),
    "dashes": _repeated("-"),
    "dashes and blanks": _repeated("- "),
    "list items": _repeated("- a\n"),
    "numbers": _repeated("1. "),
    "numbered items": _repeated("1. a\n"),
    "deep lists": lambda n: "".join(f"{' ' * (k % 300)}- a\n" for k in range(n // 160)),
    "pipes": _repeated("|"),
    "pipes and blanks": _repeated("| "),
    "pipes in lines": _repeated("|\n"),
    "a delimiter": _repeated("-|", "|h|\n|"),
    "tables": _repeated("|a|\n|-|\n|b|\n\n"),
    "a table": _table(4, "cell"),
    "a wide table": _table(400, "c"),
    "a table of bold": _table(2, "**a " * 100),
    "a table of ticks": _table(1, "`" * 900 + "a" * 900),
    "a table of runs": _table(1, _runs("`")(1_800)),
    "a table of emphasis": _table(1, "*a " * 300),
    "a table of underscores": _table(1, "__a ~~b **c " * 100),
    "a table of links": _table(1, "[a](" * 300),
    "a table of brackets": _table(1, "[" * 1_500),
    "a table of <": _table(1, "<a:" * 500),
    "a table of breaks": _table(1, "<br>" * 400),
    "a table of blanks": _table(1, " " * 1_800 + "a"),
    "a table with a long head": _tall_table(1_400),
    # Data.
    "YAML lists": _repeated("- "),
    "YAML keys": _repeated("? "),
    "YAML maps": _repeated("a: "),
    "YAML lines": lambda n: "".join(f"k{k}: v\n" for k in range(n // 8)),
    "YAML depth": lambda n: "".join(
        f"{' ' * k}a:\n" for k in range(int((2 * n) ** 0.5))
    ),
    "YAML anchors": _repeated("&a [*a] "),
    "YAML tags": _repeated("!!str "),
    "YAML quotes": _repeated("'"),
    "YAML text": _repeated("a\n  ", "a: |\n  "),
    "JSON strings": _repeated('"a",', "[", '"b"]'),
    "JSON escapes": _repeated("\\u0041", '"', '"'),
    "a difference": _repeated("+a\n-b\n"),
    "CSV": _repeated('"a","b"\n'),
    "equals": _repeated("="),
    # Mentions.
    "mentions": _repeated("<@U00000001> "),
    "mentions without a gap": _repeated("<@U1>"),
    "mentions without an end": _repeated("<@U1|"),
    "mentions of numbers": _repeated("<@1>"),
    "a number in a mention": _repeated("1", "<@", ">"),
    "our mention and blanks": _repeated(" ", "<@U0BOT> ", "x"),
    "channels": _repeated("<#C1|"),
    "groups": _repeated("<!subteam^S1>"),
    "everyone": _repeated("@everyone "),
    "here": _repeated("<!here> "),
    "references": _repeated("user:U1 "),
    "references in references": _repeated("user:group:"),
    "a long reference": _repeated("a", "user:", "_"),
    "tokens": _repeated("<a>"),
    "labelled tokens": _repeated("<http://a|b>"),
    "commands": _repeated("</a:"),
    "emoji": _repeated("<:a:1>"),
    "half emoji": _repeated("<a:a"),
    "secrets": _repeated("a-"),
    "secrets and dots": _repeated("a" * 20 + "."),
}
