"""Excerpts: parts of a message that people see beside what its author typed, such as
attachments, embeds, forwarded messages and previews of links.

They stand below the typed text, each under a label that says where it comes from, as a
quotation, so that Claude can tell them from the author's own words.
"""


def attached(name: str) -> str:
    """Return the line for a file with `name`, which is one line."""
    return f"(attached: {name}; you cannot open files yet)"


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
