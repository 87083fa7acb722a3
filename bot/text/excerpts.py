"""Excerpts: parts of a message that people see beside what its author typed, such as
attachments, embeds, forwarded messages and previews of links.

They stand below the typed text, each under a label that says where it comes from, as a
quotation, so that Claude can tell them from the author's own words.
"""

import re

#: The beginnings of the labels of what a platform adds by itself, for links in the
#: typed text.
LINK_PREVIEW, PREVIEW_OF, LINKED = "Link preview", "Preview of", "Linked message"

# An excerpt with one of these labels.
_ADDED = re.compile(
    r"^\[(?:Link preview|Preview of|Linked message)[^\n]*+(?:\n>[^\n]*+)++",
    re.MULTILINE,
)


def attached(name: str) -> str:
    """Return the line for a file with `name`, which is one line."""
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
    """Return whether two texts of a message differ at most in spacing and in what the
    platform added for their links."""
    first, second = ("".join(_ADDED.sub("", each).split()) for each in (one, other))
    return first == second
