"""Divides texts into paragraphs for parsers of Markdown. Pure."""


def apart_from_lists(text: str) -> str:
    """Return `text` with a blank line between a list and a line that is not an item.

    People read such a line as a new paragraph. In Markdown, it would continue the last
    item.
    """
    lines, in_code, before = [], False, ""
    for line in text.split("\n"):
        is_within = not line.strip() or line.startswith(("- ", "> ", " "))
        if not in_code and before.startswith("- ") and not is_within:
            lines.append("")
        in_code ^= line.startswith("```")
        lines.append(line)
        before = line
    return "\n".join(lines)
