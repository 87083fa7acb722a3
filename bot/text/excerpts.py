"""Excerpts: parts of a message that its author did not type, such as attachments,
embeds, forwarded messages and previews of links.

Excerpts follow the typed text as quotations, each under a label with its source, so
that Claude can distinguish them from the author's own words.
"""

import re

#: The beginnings of labels of excerpts that a platform adds by itself, for links in the
#: typed text.
LINK_PREVIEW, PREVIEW_OF, LINKED = "Link preview", "Preview of", "Linked message"
#: The label of a poll. Its author cannot edit it, but its votes and its end change it.
POLL = "Poll"

# An excerpt with one of these labels.
_ADDED = re.compile(
    r"^\[(?:Link preview|Preview of|Linked message|Poll\])[^\n]*+(?:\n>[^\n]*+)++",
    re.MULTILINE,
)


def file_line(name: str) -> str:
    """Return the line for a file. `name` must not contain line breaks."""
    return f"(attached: {name})"


def excerpt(label: str, text: str) -> str:
    """Return `text` as a quotation under `label`; "" if `text` is blank.

    >>> print(excerpt("Attachment from Grafana", "CPU is high"))
    [Attachment from Grafana]
    > CPU is high
    """
    text = text.strip()
    if not text:
        return ""
    quoted = "\n".join(f"> {line}".rstrip() for line in text.splitlines())
    return f"[{label}]\n{quoted}"


def reads_alike(one: str, other: str) -> bool:
    """Return whether two texts of a message are equal apart from spacing, and from
    parts that the platform changes.

    These are previews, which it adds for links, and polls.
    """
    first, second = ("".join(_ADDED.sub("", each).split()) for each in (one, other))
    return first == second
