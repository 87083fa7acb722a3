"""Reads the bytes of files as content for Claude.

In: a file on the disk, and the kinds and sizes that the model takes. Out: a
`FileContent`, or FileUnread with the reason. `read` recognises the type by the content
alone (`file_types`), and only then imports the module for the type, with its library.

Rule 1: nothing is fetched, no macro runs, and a file's name is never used as a path.
Rule 2: memory and time are bounded by checks before a library is called.

Rule 3: an error of a library becomes FileUnread. Its text is neither shown nor logged.
"""

from bot.context.files.accepted import Accepted
from bot.context.files.reader import first_pages, read

__all__ = ["Accepted", "first_pages", "read"]
