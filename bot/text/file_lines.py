"""The lines that name files to Claude. Pure.

Rule: names are escaped and put on one line before they are inserted, so that nobody can
write one of our tags or lines by naming a file.
"""

import re

from bot.errors import Unread
from bot.text import tags

# "Above", since the content of files is in blocks before the messages.
SHOWN = "shown above"
#: For a file of an edited message.
UNKNOWN = "shown above unless it could not be read"
CUT = "its beginning is shown above"
#: For a file that people decide about, now or later.
PRICED = "shown above if people agreed to its price"

_WHY = {
    Unread.TOO_LARGE: "it is too large",
    Unread.EMPTY: "it is empty",
    Unread.ENCRYPTED: "it has a password",
    Unread.UNSUPPORTED: "you cannot read files of its type",
    Unread.BROKEN: "it is damaged",
    Unread.UNAVAILABLE: "the chat did not hand it out",
    Unread.DELETED: "it was deleted",
    Unread.ELSEWHERE: "it is on another site",
    Unread.NO_SCOPE: "you have no permission to read files in this chat",
    Unread.TOO_MANY: "there are too many files",
    Unread.NOT_TAKEN: "you take no files of its type",
    Unread.REFUSED: "it could not be processed",
    Unread.SKIPPED: "it was left out because of its price",
    Unread.WAITING: "people have not agreed to its price yet",
}


# Control characters, and characters that set, override or isolate text direction.
_STEERING = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u206f]")

#: The most characters of a name that are shown. Filesystems allow 255 bytes.
MOST_NAME = 100


def short_name(name: str, most: int = MOST_NAME) -> str:
    """Return the name of a file on one line, without characters that affect other text.

    If it is longer than `most` characters, its middle is left out.
    """
    line = " ".join(_STEERING.sub(" ", name).split()) or "file"
    if len(line) <= most:
        return line
    # The end shows the type.
    return f"{line[: most - 21]}…{line[-20:]}"


def file_line(name: str, state: str) -> str:
    """Return the line for a file in the message that it was attached to."""
    return f"(attached: {tags.escape_line(short_name(name))}; {state})"


def pages_shown(pages: int, of: int) -> str:
    """Return the state of a partly shown PDF."""
    return f"{first_pages(pages, of)} are shown above"


def about_part(pages: int, of: int) -> str:
    """Return the sentence that accompanies a partly shown PDF."""
    return f"This document is {first_pages(pages, of)}."


def first_pages(pages: int, of: int) -> str:
    """Return a phrase that names the shown pages of a PDF."""
    return f"the first {pages:,} of its {of:,} pages"


def not_shown(why: Unread) -> str:
    """Return the state of a file that is not shown because of `why`."""
    return f"not shown: {_WHY[why]}"


def heading(kind: str, name: str) -> str:
    """Return the line above an image or a text, or the title of a document."""
    return f"{kind.capitalize()} attached to a message below: {title(name)}"


def title(name: str) -> str:
    """Return the name of a file between quotation marks."""
    return f'"{tags.attribute(short_name(name))}"'


def name_in(title: object) -> str:
    """Return the plain file name from a `title` that Claude repeats.

    Any other text is returned unchanged.
    """
    text = str(title or "")
    is_title = len(text) > 1 and text[0] == text[-1] == '"'
    return tags.plain(text[1:-1]) if is_title else text


def same_as(name: str, other: str) -> str:
    """Return the line that replaces a file with the same content as `other`."""
    return f"(the file {title(name)} is the same as {title(other)})"


def in_place_of(name: str, why: Unread) -> str:
    """Return the line that replaces a file that is not shown."""
    return f"(the file {title(name)} is {not_shown(why)})"
