"""Lines for Claude that name files and their parts. Pure."""

from bot.errors import Unread
from bot.messages import plurals
from bot.text import tags

#: The most characters of a name that are shown: filesystems allow 255 bytes.
MOST_NAME = 100

# Why Claude does not see a file, as a clause.
_REASONS = {
    Unread.TOO_LARGE: "it is too large",
    Unread.EMPTY: "it is empty",
    Unread.ENCRYPTED: "it is protected by a password",
    Unread.UNSUPPORTED: "files of its type cannot be read",
    Unread.BROKEN: "it is damaged",
    Unread.UNAVAILABLE: "it could not be fetched",
    Unread.DELETED: "it was deleted",
    Unread.ELSEWHERE: "it is on another site",
    Unread.NO_SCOPE: "the app has no permission to read files",
    Unread.TOO_MANY: "there were too many files",
    Unread.NOT_TAKEN: "the model takes no files of its type",
    Unread.REFUSED: "the API refused it",
    Unread.SKIPPED: "somebody chose not to have it read",
}

SHEETS_CUT = "[Of long sheets only the beginning is shown.]"


def short_name(name: str) -> str:
    """Return the name of a file on one line, with its middle left out if it is long."""
    line = " ".join(tags.escape_line(name).split()) or "file"
    if len(line) <= MOST_NAME:
        return line
    # The end tells the type.
    return f"{line[: MOST_NAME - 21]}…{line[-20:]}"


def shown(name: str, *, pages: int = 0, all_pages: int = 0, cut: bool = False) -> str:
    """Return the line for a file that Claude sees."""
    part = ""
    if pages < all_pages:
        part = f", the first {pages:,} of its {plurals.PAGES(all_pages)}"
    elif cut:
        part = ", only its beginning"
    return f"(attached: {short_name(name)}{part})"


def not_shown(name: str, reason: Unread) -> str:
    """Return the line for a file that Claude does not see."""
    return f"(attached: {short_name(name)}; you cannot see it: {_REASONS[reason]})"


def only_lines(count: int) -> str:
    """Return the last line of a text that was cut behind `count` lines."""
    return f"[Only the first {plurals.LINES(count)} of this file are shown.]"


def only_characters(count: int) -> str:
    """Return the last line of a text that was cut behind `count` characters."""
    return f"[Only the first {plurals.CHARACTERS(count)} of this file are shown.]"


def sheet(name: str, *, hidden: bool = False) -> str:
    """Return the line above the rows of a sheet."""
    return f"## Sheet: {name}{' (hidden)' if hidden else ''}"


def slide(number: int, title: str, *, hidden: bool = False) -> str:
    """Return the line above the texts of a slide."""
    after = f": {title}" if title else ""
    return f"## Slide {number}{' (hidden)' if hidden else ''}{after}"


def speaker_notes(text: str) -> str:
    """Return the notes of a speaker."""
    return f"Notes: {text}"


def picture(description: str) -> str:
    """Return what stands for a picture in a document."""
    return f"[picture: {description}]" if description else "[picture]"
