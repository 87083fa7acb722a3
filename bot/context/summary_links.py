"""Makes links in a summary unusable if no person of the thread has posted them. Pure.

A summary is read as if people had written it, and the API fetches any address in
people's messages (`url_sources`, Claude facts 1.8). An invented address may come from
an answer, or from a person who manipulated the summary. So it is written in a form that
is not a link.

Rule: a link is a person's if people wrote exactly that link, from its first to its last
character. A link with more or fewer characters is another link.
"""

import re
from collections.abc import Iterable

# An address with a scheme or "www.", or a host followed by a path or a port.
_LINK = re.compile(
    r"(?:(?<![A-Za-z0-9+.-])[A-Za-z][A-Za-z0-9+.-]*+://|(?<![\w.-])www[.])"
    r"[^\s<>\"'`|]++"
    r"|(?<![\w.@/-])(?:[\w-]++[.])++[\w-]++[:/?#][^\s<>\"'`|]++",
    re.IGNORECASE,
)
# Characters that end a sentence or a Markdown link, and are not part of an address.
_AFTER = ".,;:!?)]}*_~"


def without_invented(text: str, posted: Iterable[str]) -> str:
    """Return `text` with every link made unusable that is not in `posted`.

    `posted` are the messages of people.
    """
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
