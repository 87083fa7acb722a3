"""Lines for Claude that name the parts of files. Pure."""

from bot.messages import plurals

SHEETS_CUT = "[Of long sheets only the beginning is shown.]"


def only_lines(count: int) -> str:
    """Return the last line of a text that was cut after `count` lines."""
    return f"[Only the first {plurals.LINES(count)} of this file are shown.]"


def only_characters(count: int) -> str:
    """Return the last line of a text that was cut after `count` characters."""
    return f"[Only the first {plurals.CHARACTERS(count)} of this file are shown.]"


def base64_left_out(count: int) -> str:
    """Return the text that replaces base64 within a line."""
    return f"[{plurals.CHARACTERS(count)} of base64 are left out here]"


def sheet(name: str, *, hidden: bool = False) -> str:
    """Return the line above the rows of a sheet."""
    return f"## Sheet: {name}{' (hidden)' if hidden else ''}"


def slide(number: int, title: str, *, hidden: bool = False) -> str:
    """Return the line above the texts of a slide."""
    after = f": {title}" if title else ""
    return f"## Slide {number}{' (hidden)' if hidden else ''}{after}"


def speaker_notes(text: str) -> str:
    """Return the line with the speaker's notes of a slide."""
    return f"Notes: {text}"


def picture(description: str) -> str:
    """Return the text that replaces a picture in a document."""
    return f"[picture: {description}]" if description else "[picture]"
