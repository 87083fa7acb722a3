"""Links in a summary that no person of the thread has posted. Pure.

A summary stands where people's messages stand, and the API fetches any address there
(`url_sources`, Claude facts 1.8). So an address that an answer named, or that whoever
misled the summary had written into it, is written so that it is none.

Rule: a link is a person's if it stands as it is, from its first to its last character,
in what people wrote. A link with more or less behind it is another link.
"""

import re
from collections.abc import Iterable

# An address with a scheme or "www.", or a host with something behind it.
_LINK = re.compile(
    r"(?:(?<![A-Za-z0-9+.-])[A-Za-z][A-Za-z0-9+.-]*+://|(?<![\w.-])www[.])"
    r"[^\s<>\"'`|]++"
    r"|(?<![\w.@/-])(?:[\w-]++[.])++[\w-]++[:/?#][^\s<>\"'`|]++",
    re.IGNORECASE,
)
# Characters that end a sentence or a Markdown link, and do not belong to an address.
_AFTER = ".,;:!?)]}*_~"


def without_invented(text: str, posted: Iterable[str]) -> str:
    """Return `text` with every link written as none that `posted`, the messages of
    people, do not have."""
    known = {_link(found) for each in posted for found in _LINK.finditer(each)}

    def written(found: re.Match[str]) -> str:
        link = _link(found)
        if link in known:
            return found[0]
        unlinked = link.replace("://", "[:]//").replace(".", "[.]")
        return unlinked + found[0][len(link) :]

    return _LINK.sub(written, text)


def _link(found: re.Match[str]) -> str:
    return found[0].rstrip(_AFTER)
