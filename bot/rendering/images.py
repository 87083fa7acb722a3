"""Replaces images by links, for platforms that show no images.

Rule 1: only a complete image on one line is replaced, `![alt](address "title")`. A
reference image is left unchanged, since its address may be at the end of the answer.
Rule 2: code is never changed. The next backtick decides whether a backtick begins code,
so an image after a backtick waits for the next one.
Rule 3: the line arrives in pieces that end anywhere. Only text that could become an
image is held back, up to `MOST_CHARS` characters.
"""

import re

# The longest image and the longest inline code that are recognised, in characters.
# Addresses have about 100 characters. A data URL is not a useful link.
MOST_CHARS = 1_000

_TEXT = r"(?:[^\[\]\\]|\\.|\[(?:[^\[\]\\]|\\.)*+\])*+"
_TEXT_SO_FAR = rf"{_TEXT}(?:\[(?:[^\[\]\\]|\\.)*+)?\\?"
_WORD = r"(?:[^\s()<>\\]|\\.|\([^\s()]*+\))"
_ADDRESS = rf"(?:<[^<>]*+>|{_WORD}++)"
_ADDRESS_SO_FAR = rf"(?:<[^<>]*+|{_WORD}*+(?:\([^\s()]*+)?\\?)"
_TITLE = r"""(?:"(?:[^"\\]|\\.)*+"|'(?:[^'\\]|\\.)*+'|\((?:[^()\\]|\\.)*+\))"""
_TITLE_SO_FAR = r"""(?:"(?:[^"\\]|\\.)*+|'(?:[^'\\]|\\.)*+|\((?:[^()\\]|\\.)*+)\\?"""

_TARGET = rf"\([ \t]*+({_ADDRESS})(?:[ \t]++({_TITLE}))?[ \t]*+\)"
_TARGET_SO_FAR = (
    rf"\([ \t]*+(?:{_ADDRESS}[ \t]*+(?:{_TITLE}[ \t]*+|{_TITLE_SO_FAR})?"
    rf"|{_ADDRESS_SO_FAR})"
)
_IMAGE = rf"!\[({_TEXT})\]{_TARGET}"
_IMAGE_SO_FAR = rf"!(?:\[(?:{_TEXT}\](?:{_TARGET_SO_FAR})?|{_TEXT_SO_FAR}))?"

# A link or an image: its text, then its target.
LINK = rf"!?\[({_TEXT})\]{_TARGET}"

# An image alone, or as the text of a link, like a badge.
_WHOLE = re.compile(rf"{_IMAGE}|\[{_IMAGE}\]{_TARGET}")
_SO_FAR = re.compile(
    rf"(?:{_IMAGE_SO_FAR}|\[(?:{_IMAGE}(?:\](?:{_TARGET_SO_FAR})?)?|{_IMAGE_SO_FAR})?)$"
)

_MARK = re.compile(r"[`\\!\[]")
_TICKS = re.compile(r"`++")
_FIRST_POSSIBLE = re.compile(r"\[?!\[|\[?!?$")


def linked(line: str) -> str:
    """Return `line` with links in place of its images."""
    images = Images()
    return images.feed(line) + images.flush()


class Images:
    """Replaces the images in one line by links while the line arrives."""

    def __init__(self) -> None:
        #: The undecided text, and the number of its characters that were passed on
        #: already.
        self._held = ""
        self._shown = 0

    def feed(self, text: str) -> str:
        """Take the next piece of the line; return the text that is decided now."""
        return self._read(self._held + text, more=True)

    def flush(self) -> str:
        """End the line and reset; return the text that was held back."""
        return self._read(self._held, more=False)

    def _read(self, text: str, *, more: bool) -> str:
        pieces, at, shown = [], 0, self._shown
        while mark := _MARK.search(text, at):
            end, link = token(text, mark.start(), more=more)
            pieces.append(text[max(at, shown) : mark.start()])
            at = mark.start()
            if end is None:
                break
            pieces.append(link or text[max(at, shown) : end])
            at = end
        else:
            pieces.append(text[max(at, shown) :])
            at = len(text)
        self._held, self._shown = text[at:], max(0, shown - at)
        if self._held.startswith("`"):
            # Text before the next possible image is unchanged, whether it is code or
            # not.
            possible = _FIRST_POSSIBLE.search(self._held, self._shown)
            clear = possible.start() if possible else len(self._held)
            pieces.append(self._held[self._shown : clear])
            self._shown = clear
        return "".join(pieces)


def token(text: str, at: int, *, more: bool) -> tuple[int | None, str]:
    """Return the end of the token that begins at `at`, and the link that replaces it,
    or "".

    The end is None while it is undecided, which is possible only if `more` text
    follows.
    """
    window = min(len(text), at + MOST_CHARS)
    unclear = more and window < at + MOST_CHARS
    if text[at] == "`":
        return end_of_code(text, at, window, unclear=unclear), ""
    if text[at] == "\\":
        return (None if unclear and at + 1 == window else at + 2), ""
    if match := _WHOLE.match(text, at, window):
        return match.end(), _link(*match.groups(""))
    if unclear and _SO_FAR.match(text, at, window):
        return None, ""
    return at + 1, ""


def end_of_code(text: str, at: int, window: int, *, unclear: bool) -> int | None:
    """Return the end of the code that the backticks at `at` begin, or the end of these
    backticks if nothing closes the code; None while that is undecided."""
    # Iterate lazily, since most code ends at the next run, and a line may have hundreds
    # of runs.
    opener = None
    for ticks in _TICKS.finditer(text, at, window):
        if unclear and ticks.end() == window:
            return None
        if opener is None:
            opener = ticks
        elif len(ticks[0]) == len(opener[0]):
            return ticks.end()
    assert opener is not None
    return None if unclear else opener.end()


def _link(*groups: str) -> str:
    """Return the link for an image that `_WHOLE` matched."""
    text, address, title, *linked = groups
    if not address:
        text, address, title, target, _ = linked
        # Add the image's own address after the link, so that nothing is lost.
        return f"{_link(text, target, title)} (<{address.strip('<>')}>)"
    text = text.strip() or title[1:-1].strip()
    return f"[{text}]({address})" if text else f"<{address.strip('<>')}>"
