"""Detects spans that are open at the end of a line. Pure."""

import re

_CODE = re.compile(r"``[^\n]*?``(?!`)|`[^`]++`")
# Places where emphasis with one star or with underscores may begin and end. Two stars
# or tildes may begin or end emphasis anywhere.
_BEGINS = re.compile(r"(?<![\w*])\*(?=[^\s*])|(?<!\w)__?+(?=[^\s_])")
_ENDS = re.compile(r"(?<=[^\s*])\*(?![\w*])|(?<=[^\s_])__?+(?!\w)")


def is_inside_span(line: str) -> bool:
    """Return True if code, emphasis or the text of a link seems to be open at the end
    of `line`."""
    if "`" in line:
        line = _CODE.sub("", line)
        if "`" in line:
            return True
    if line.count("**") % 2 or line.count("~~") % 2:
        return True
    if line.count("[") > line.count("]"):
        return True
    if "*" not in line and "_" not in line:
        return False
    begun = len(_BEGINS.findall(line))
    return begun > 0 and begun > len(_ENDS.findall(line))
