"""Files of messages: what Claude reads of their bytes, and how they are named.

In: a file on the disk, and what the model takes. Out: a `FileContent`, or FileUnread
with the reason. `read` decides by the content alone (`file_types`) and imports the
module for the type, with its library, only then.

Rule 1: nothing is fetched, no macro runs, and a name is never a path.
Rule 2: memory and time are bounded by what is checked before a library is called.
Rule 3: what a library raises is FileUnread; its text is neither shown nor logged.
"""

from bot.context.files.accepted import Accepted
from bot.context.files.reader import first_pages, read

__all__ = ["Accepted", "first_pages", "read"]
