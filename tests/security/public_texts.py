"""Texts that try to notify people, to have previews fetched or to disguise links, and
the links that readers of Discord see."""

import random
import re
import unicodedata

from bot.text.characters import CLOSE, OPEN
from bot.text.links import MOST_TEXT

#: What anybody may write: a model, a ticket, a name, a file's name.
FRAGMENTS = (
    # Slack's notation, and what Markdown reads as it.
    *("<!channel>", "<!here|here>", "<!Everyone>", "<@U00000002>", "<@U00000002|x>"),
    *("<!subteam^S00000001>", "<#C00000004>", "<https://evil.test|bank.test>"),
    *("&lt;!channel&gt;", "&LT;!here>", "&#60;!channel>", "&#x3C;@U00000002>"),
    *("<&#33;channel>", "<&excl;here>", "&commat;channel", "@&#99;hannel", "<\\!here>"),
    *("@channel", "@Here", "@EVERYONE", "@everyone", "<!date^1^{date}|x>"),
    # Discord's.
    *("<@1>", "<@!2>", "<@&3>", "<#4>", "</ask:5>"),
    # As the core names whom it refers to, and once did.
    *("user:U00000002", "group:S00000001", "user:group:S00000001", "channel:C00000004"),
    *("user:user:U00000002", "user:1", "group:3", OPEN, CLOSE),
    f"{OPEN}0123456789abcdef:user:U00000002{CLOSE}",
    # Addresses, and links that read otherwise.
    *(
        "https://evil.test/?leak=1",
        "http://evil.test",
        "[your bank](https://evil.test)",
    ),
    *("[bank.test](https://evil.test)", "[https://bank.test](<https://evil.test>)"),
    *('[[bank.test]](https://evil.test "t")', "![bank.test](https://evil.test/a.png)"),
    *("[ba**nk**.test](https://evil.test)", "[evil.test](https://evil.test)"),
    *("[bank.test [a](https://evil.test)", "[bank.test](x: y", "(https://x.test)"),
    # What holds them together, or breaks them.
    *("`", "```", "```\n", "**", "_", "> ", "- ", "\n", " ", "a", "\\", "<", ">", "&"),
    *(
        "[",
        "](",
        ")",
        "@",
        "#",
        "!",
        "|",
        "\u200b",
        "\u202e",
        "\ud83e",
        "é",
        "bank.test",
    ),
)

#: What is code for some readers, or for all.
CODE = (
    *("`@channel`", "``@here``", '`@Channel("x")`', "```ruby\n", "\n```\n", "~~~\n"),
    *(
        "````\n",
        "\n   ```\n",
        "\n  ~~~\n",
        "\n> ```\n",
        "<div>",
        "</div>",
        "<!--",
        "-->",
    ),
    *("   ", "    ", "\t", "1. ", "10. ", "* ", "\n\n", "|", "| a | b |\n|---|---|\n"),
    *("[a]:", "[a](<b`", "<script>", "<https://x.test>", "\r", "word "),
)

# discord.com's own reading of a link, which is that of simple-markdown.
_LINK = re.compile(
    r"\[((?:\[[^\]]*\]|[^\[\]]|\](?=[^\[]*\]))*)\]"
    r"\(\s*<?((?:\([^)]*\)|[^\s\\]|\\.)*?)>?(?:\s+['\"]([\s\S]*?)['\"])?\s*\)"
)
_NAME = re.compile(r"[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}", re.IGNORECASE)
_SIGNS = re.compile(r"[*_~|`\\]")
_HOST = re.compile(r"https?://(?:[^/@\s]*@)?([^/?#:\s)]+)", re.IGNORECASE)


def hostile(chance: random.Random, most: int = 10) -> str:
    """Some of these in a row, or in a short text of them."""
    return "".join(chance.choices(FRAGMENTS, k=chance.randint(1, most)))


def mixed(chance: random.Random) -> str:
    """Some of these between some of what is code."""
    code = "".join(chance.choices(CODE, k=chance.randint(0, 6)))
    return code + hostile(chance, 2)


# Its readings of a sign after a backslash, and of code.
_ESCAPED = re.compile(r"\\[^0-9A-Za-z\s]")
_CODE = re.compile(
    r"```(?:[a-z0-9_+\-.#]+?\n)?\n*[^\n][\s\S]*?\n*```"
    r"|(`+)[\s\S]*?[^`]\1(?!`)",
    re.IGNORECASE,
)


def links_outside_code(text: str) -> list[tuple[str, str]]:
    """Return the links of `text` that Discord does not show as code. It reads a text
    from the left, and a link may begin before code that its words contain."""
    found, at = [], 0
    while at < len(text):
        link = _LINK.match(text, at)
        if link and _HOST.match(link[2]):
            found.append((link[1], link[2]))
        skipped = link or _ESCAPED.match(text, at) or _CODE.match(text, at)
        at = skipped.end() if skipped else at + 1
    return found


def links(text: str) -> list[tuple[str, str]]:
    """Return the links in `text` whose address Discord hides behind words: (text,
    address)."""
    return [(m[1], m[2]) for m in _LINK.finditer(text) if _HOST.match(m[2])]


def lies(text: str, *, in_code: bool = True) -> list[tuple[str, str]]:
    """Those of the links of `text` that read as another address. Links in code count
    only with `in_code`."""
    found = links(text) if in_code else links_outside_code(text)
    return [each for each in found if _lies(*each)]


def _lies(shown: str, address: str) -> bool:
    found = _HOST.match(address)
    host = found[1].lower() if found else ""
    seen = "".join(
        sign for sign in _SIGNS.sub("", shown) if unicodedata.category(sign) != "Cf"
    )
    names = (name.lower() for name in _NAME.findall(seen[-MOST_TEXT:]))
    return any(name.removeprefix("www.") != host for name in names)
