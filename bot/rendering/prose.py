"""Replaces inline Markdown that a platform lacks or interprets differently.

These elements are replaced: images, by links; two pipes, which would hide text; two
underscores inside a word, which would underline a part of it; links whose text is an
address; reference links; code in three or more backticks on one line; HTML entities and
a few tags; LaTeX formulas.

Rule 1: code and addresses are never changed. The next backticks decide whether
backticks begin code, so replaceable text after backticks waits for the next ones.
Rule 2: the line arrives in pieces that end anywhere. Only text that could be replaced
is held back, up to `MOST_CHARS` characters.
"""

import html
import re
import unicodedata
from collections.abc import Mapping

from bot.rendering import images, latex
from bot.rendering.heads import label
from bot.rendering.html_tags import Tags
from bot.rendering.mentions import ZERO_WIDTH_SPACE

# The longest text of a link and the longest formula that are recognised, in characters.
# A line is held back while either is open.
_MOST_TEXT = 300
_MOST_FORMULA = 200

_MARK = re.compile(r"[`\\!\[|<&$]|__|_\Z|https?://|h(?:t(?:t(?:ps?(?::/?)?)?)?)?\Z")
#: The marks that may be replaced after a backtick if the backtick begins no code.
_FIRST_POSSIBLE = re.compile(r"[!\[|<&$\\_]")
_RUN = re.compile(r"`++|\|++|_++")
_TWO_TICKS = re.compile(r"`(?=`)")

_WEB_LINK = re.compile(
    r"\[((?:[^\[\]\\\n]|\\.){1,300}+)\]"
    r"\(<?(https?://(?:[^\s()<>\\]|\\.|\([^\s()<>]{0,300}+\)){1,800}+)>?"
    r"(?:[ \t]{1,20}+(?:\"[^\"\n]{0,300}+\"|'[^'\n]{0,300}+'))?\)"
)
_REFERENCE = re.compile(r"\[([^\[\]\n]++)\]\[([^\[\]\n]*+)\]")
_SHORTCUT = re.compile(r"\[([^\[\]\n]++)\](?![\[(:])")
_BRACKETS_SO_FAR = re.compile(r"\[[^\[\]\n]*+(?:\](?:\[[^\[\]\n]*+|\([^()\n]*+)?)?$")
# The title of a highlighted quote, alone on its line, as GitHub writes it.
_ALERT = re.compile(
    r"\[!(NOTE|TIP|IMPORTANT|WARNING|CAUTION)\](?=[ \t\r]{0,9}(?:\n|\Z))"
)
_FOOTNOTE = re.compile(r"\[\^([\w-]++)\]")
_ADDRESS = re.compile(r"https?://", re.IGNORECASE)
_MOST_UNDERSCORES = 9
# A Python name such as __init__, which Discord would show underlined and without its
# underscores. One of the names below, or one beside a dot or a parenthesis, is hardly
# ever meant as emphasis.
_DUNDER = re.compile(r"__([a-z][a-z0-9]{0,20}(?:_[a-z0-9]{1,20}){0,2})__(?!\w)")
_DUNDER_SO_FAR = re.compile(r"__[a-z][a-z0-9_]{0,60}\Z")
_DUNDERS = frozenset(
    (
        *("all", "bool", "call", "class", "contains", "del", "dict", "doc", "enter"),
        *("eq", "exit", "file", "getattr", "getitem", "hash", "init", "iter", "len"),
        *("main", "module", "name", "new", "next", "path", "post_init", "proto"),
        *("pycache", "repr", "setattr", "setitem", "slots", "str", "version"),
    )
)
# An address among words. It ends where code, a footnote or two pipes begin.
_BARE_ADDRESS = re.compile(r"https?://(?:[^\s<`\[|]|\[(?!\^)|\|(?!\|))*+")

_ENTITY = re.compile(
    r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});"
)
_ENTITY_SO_FAR = re.compile(r"&#?[A-Za-z0-9]{0,31}$")
# Characters that Discord reads as marks. They are escaped if they come from an entity.
_ESCAPED = frozenset("*_~`|>#[]()<\\-+:@")

_AUTOLINK = re.compile(r"<https?://[^\s<>]++>")
_AUTOLINK_SO_FAR = re.compile(r"<h?t?t?p?s?:?/?/?[^\s<>]*+$")
#: Formulas, by their opening mark. A dollar before a digit or a blank does not open a
#: formula, since it is a price, nor does a dollar right before a word close one, since
#: it begins a variable.
_DOLLARS = re.compile(r"\$\$([^\n$]++)\$\$")
_DOLLAR = re.compile(r"\$(?![\s\d$])((?:[^\n$\\]|\\.)*?(?<![\s\\]))\$(?![\w{])")
_PARENTHESES = re.compile(r"\\\(((?:[^\n\\]|\\[^\n()])++)\\\)")
_BRACKETS = re.compile(r"\\\[((?:[^\n\\]|\\[^\n\[\]])++)\\\]")
_CLOSERS = {"$": "$", "\\(": "\\)", "\\[": "\\]"}
#: Signs that the text between dollars is a formula.
_COMMAND = re.compile(r"\\[A-Za-z]|[\^_]")
_TELLTALE = re.compile(r"\\[A-Za-z]|[\^_{]|[=<>+]")


def prose(
    line: str, *, before: str | None = "", links: Mapping[str, str] | None = None
) -> str:
    """Return `line` with replacements. `before` is inserted after each line break that
    replaces a tag. `links` holds the addresses of reference links, by label."""
    reader = Prose(links)
    reader.before = before
    return reader.feed(line) + reader.flush()


class Prose:
    """Replaces the marks of one line while the line arrives."""

    def __init__(self, links: Mapping[str, str] | None = None) -> None:
        self._links = {} if links is None else links
        #: The beginning of a line that continues this one; None if the line cannot be
        #: broken.
        self.before: str | None = ""
        #: The undecided text, and the number of its characters that were passed on
        #: already.
        self._held = ""
        self._shown = 0
        #: The last character that was decided.
        self._last = ""
        self._tags = Tags()

    def feed(self, text: str) -> str:
        """Take the next piece of the line; return the text that is decided now."""
        return self._read(self._held + text, more=True)

    def flush(self) -> str:
        """End the line and reset; return the text that was held back."""
        text = self._read(self._held, more=False)
        self._last = ""
        self._tags.end_line()
        return text

    def _read(self, text: str, *, more: bool) -> str:
        pieces, at, shown = [], 0, self._shown
        while mark := _MARK.search(text, at):
            start = mark.start()
            last = text[start - 1] if start else self._last
            end, found = self._token(text, start, last, more=more)
            pieces.append(text[max(at, shown) : start])
            at = start
            if end is None:
                break
            pieces.append(text[max(at, shown) : end] if found is None else found)
            at = end
        else:
            pieces.append(text[max(at, shown) :])
            at = len(text)
        if at:
            self._last = text[at - 1]
        self._held, self._shown = text[at:], max(0, shown - at)
        if self._held.startswith("`"):
            self._pass_on(pieces)
        elif self._held.startswith("h"):
            # Pass on the address, which is not replaced, except pipes and brackets at
            # its end, which may end it.
            clear = len(self._held.rstrip("|["))
            pieces.append(self._held[self._shown : clear])
            self._shown = max(clear, self._shown)
        return "".join(pieces)

    def _pass_on(self, pieces: list[str]) -> None:
        """Pass on the text between a backtick and the next possible mark, which is
        unchanged whether it is code or not."""
        run = _RUN.match(self._held)
        assert run is not None
        if len(run[0]) > 2 or run.end() == len(self._held):
            return
        possible = _FIRST_POSSIBLE.search(self._held, max(run.end(), self._shown))
        clear = possible.start() if possible else len(self._held)
        pieces.append(self._held[self._shown : clear])
        self._shown = clear

    def _token(
        self, text: str, at: int, last: str, *, more: bool
    ) -> tuple[int | None, str | None]:
        """Return the end of the token that begins at `at` after the character `last`,
        and its replacement, or None to keep the token.

        The end is None while it is undecided, which is possible only if `more` text
        follows.
        """
        window = min(len(text), at + images.MOST_CHARS)
        unclear = more and window < at + images.MOST_CHARS
        match text[at]:
            case "`":
                return _code(text, at, window, unclear=unclear)
            case "|":
                return _pipes(text, at, unclear=more)
            case "_":
                return _underscores(text, at, last, unclear=more)
            case "h":
                return _address(text, at, unclear=more)
            case "&":
                return _entity(text, at, unclear=more)
            case "<":
                return self._tag(text, at, last, unclear=more)
            case "$" | "\\":
                return _formula(text, at, unclear=more)
            case "[":
                return self._bracket(text, at, last, unclear=more)
        return self._bang(text, at, unclear=more)

    def _bang(
        self, text: str, at: int, *, unclear: bool
    ) -> tuple[int | None, str | None]:
        end, found = _image(text, at, unclear=unclear)
        if end != at + 1 or text[end : end + 1] != "[":
            return end, found
        # A reference image is shown as a link.
        end, link = self._bracket(text, at + 1, " ", unclear=unclear)
        return (end, link) if end is None or link else (at + 1, None)

    def _bracket(
        self, text: str, at: int, last: str, *, unclear: bool
    ) -> tuple[int | None, str | None]:
        end, found = _image(text, at, unclear=unclear)
        if end is None or found is not None:
            return end, found
        window = at + images.MOST_CHARS
        if link := _WEB_LINK.match(text, at, window):
            return _link(link)
        if alert := _ALERT.match(text, at):
            is_over = not unclear or "\n" in text[alert.end() :]
            return (alert.end(), f"**{alert[1].title()}**") if is_over else (None, None)
        if note := _FOOTNOTE.match(text, at):
            return note.end(), f"[{note[1]}]"
        is_index = last.isalnum() or last in ("]", ")", "_")
        if not is_index and (reference := _REFERENCE.match(text, at, window)):
            name = reference[2]
            address = self._links.get(label(name or reference[1]))
            if address:
                return reference.end(), _link_reference(reference[1], address)
            return reference.end(), f"{reference[1]} [{name}]" if name else reference[1]
        so_far = len(text) - at < _MOST_TEXT and _BRACKETS_SO_FAR.match(text, at)
        if unclear and so_far:
            return None, None
        if not is_index and (shortcut := _SHORTCUT.match(text, at, window)):
            address = self._links.get(label(shortcut[1]))
            if address:
                return shortcut.end(), _link_reference(shortcut[1], address)
        return at + 1, None

    def _tag(
        self, text: str, at: int, last: str, *, unclear: bool
    ) -> tuple[int | None, str | None]:
        if found := _AUTOLINK.match(text, at, at + images.MOST_CHARS):
            return found.end(), None
        end = min(len(text), at + images.MOST_CHARS)
        if unclear and end == len(text) and _AUTOLINK_SO_FAR.match(text, at):
            return None, None
        line_break = " " if self.before is None else f"\n{self.before}"
        return self._tags.token(text, at, last, line_break=line_break, unclear=unclear)


def _code(
    text: str, at: int, window: int, *, unclear: bool
) -> tuple[int | None, str | None]:
    """Return the end and the replacement of code on one line. Discord would read three
    or more backticks as a block that ends at the next three, wherever they are."""
    run = _RUN.match(text, at)
    assert run is not None
    count = len(run[0])
    end = images.end_of_code(text, at, window, unclear=unclear)
    if end is None or count < 3:
        return end, None
    if end == run.end():
        return end, "\\`" * count
    content = text[at + count : end - count]
    if "`" not in content:
        return end, f"`{content}`"
    content = _TWO_TICKS.sub(f"`{ZERO_WIDTH_SPACE}", content)
    return end, f"`` {content.strip()} ``"


def _pipes(text: str, at: int, *, unclear: bool) -> tuple[int | None, str | None]:
    run = _RUN.match(text, at)
    assert run is not None
    if unclear and run.end() == len(text):
        return None, None
    return run.end(), "\\|" * len(run[0]) if len(run[0]) > 1 else None


def _underscores(
    text: str, at: int, last: str, *, unclear: bool
) -> tuple[int | None, str | None]:
    run = _RUN.match(text, at)
    assert run is not None
    end = run.end()
    if end - at > _MOST_UNDERSCORES or last == "_":
        # Many underscores are a line to be filled in.
        return end, None
    if end == len(text) and unclear:
        return None, None
    if last.isalnum():
        is_inside = text[end : end + 1].isalnum() and len(run[0]) > 1
        return end, "\\_" * len(run[0]) if is_inside else None
    if found := _DUNDER.match(text, at):
        behind = text[found.end() : found.end() + 2]
        if unclear and behind in ("", "."):
            return None, None
        is_used = behind[:1] in tuple("([") or (behind > "." and behind[0] == ".")
        if is_used or last == "." or found[1] in _DUNDERS:
            return found.end(), found[0].replace("_", "\\_")
    is_open = unclear and len(run[0]) == 2 and _DUNDER_SO_FAR.match(text, at)
    return (None, None) if is_open else (end, None)


def _address(text: str, at: int, *, unclear: bool) -> tuple[int | None, str | None]:
    found = _BARE_ADDRESS.match(text, at, at + images.MOST_CHARS)
    end = found.end() if found else len(text)
    if unclear and end == len(text) and end < at + images.MOST_CHARS:
        return None, None
    return end, None


def _entity(text: str, at: int, *, unclear: bool) -> tuple[int | None, str | None]:
    if found := _ENTITY.match(text, at):
        sign = html.unescape(found[0])
        if len(sign) == 1 and sign != "\n" and unicodedata.category(sign)[0] != "C":
            return found.end(), f"\\{sign}" if sign in _ESCAPED else sign
        return found.end(), None
    if unclear and _ENTITY_SO_FAR.match(text, at):
        return None, None
    return at + 1, None


def _formula(text: str, at: int, *, unclear: bool) -> tuple[int | None, str | None]:
    window = at + _MOST_FORMULA
    if text.startswith("\\\n", at):
        # The backslash marks a line break. Discord breaks the line without it.
        return at + 1, ""
    found = (
        _DOLLARS.match(text, at, window)
        or _DOLLAR.match(text, at, window)
        or _PARENTHESES.match(text, at, window)
        or _BRACKETS.match(text, at, window)
    )
    if found is not None:
        if unclear and found.end() == len(text) and text[at] == "$":
            return None, None
        # An escaped bracket mostly does not begin a formula.
        literal = text.startswith("\\[", at) and not _COMMAND.search(found[1])
        shown = None if literal else formula(found[1])
        if shown is not None:
            return found.end(), shown
        return at + (1 if text[at] == "$" else 2), None
    opener = "$" if text[at] == "$" else text[at : at + 2]
    if unclear and len(text) < window:
        is_begun = len(text) == at + len(opener) or opener == "\\"
        may = opener in _CLOSERS and not text[at + 1 : at + 2].isspace()
        if opener == "$":
            may = may and not text[at + 1 : at + 2].isdecimal()
        if is_begun or may:
            return None, None
    return at + (2 if text[at] == "\\" else 1), None


def formula(content: str) -> str | None:
    """Return a formula as text, or as typed in code; None if `content` is not a
    formula."""
    if not _TELLTALE.search(content) and len(content.strip()) > 1:
        return None
    shown = latex.readable(content)
    if shown is None:
        is_meant = "`" not in content and _COMMAND.search(content)
        return f"`{content.strip()}`" if is_meant else None
    return escape(shown)


def escape(text: str) -> str:
    """Return `text` with the characters escaped that would be read as marks."""
    return "".join(f"\\{each}" if each in "*_`~|" else each for each in text)


def _link(link: re.Match[str]) -> tuple[int, str | None]:
    if not _ADDRESS.search(link[1]):
        return link.start() + 1, None
    # Discord does not make a link whose text contains an address.
    if link[1].strip().strip("<>").rstrip("/") == link[2].rstrip("/"):
        return link.end(), f"<{link[2]}>"
    return link.end(), f"{link[1]} (<{link[2]}>)"


def _link_reference(text: str, address: str) -> str:
    """Return a link for a reference whose `address` was defined before."""
    return (
        f"{text} (<{address}>)" if _ADDRESS.search(text) else f"[{text}](<{address}>)"
    )


def _image(text: str, at: int, *, unclear: bool) -> tuple[int | None, str | None]:
    end, link = images.token(text, at, more=unclear)
    return end, link or None
