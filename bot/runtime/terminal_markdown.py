"""Renders Markdown for a terminal.

Rich's parser is slow to import, so only code that draws answers imports this module.
"""

import re
from typing import Any

from markdown_it import MarkdownIt
from rich.markdown import Markdown

_CODE = re.compile(r"`[^`\n]++`")
_PIPE = re.compile(r"(?<!\\)\|")


def _with_whole_code(text: str) -> str:
    """Return `text` with the pipes in the code of table rows escaped.

    Unescaped pipes would make more cells than columns, and Rich omits extra cells.
    """
    lines, in_code = [], False
    for line in text.split("\n"):
        bare = line.lstrip(" >")
        if bare.startswith(("```", "~~~")):
            in_code = not in_code
        elif not in_code and bare.startswith("|"):
            line = _CODE.sub(lambda found: _PIPE.sub(r"\\|", found[0]), line)
        lines.append(line)
    return "\n".join(lines)


class _Markdown(Markdown):
    """Markdown in which HTML is plain text.

    Rich omits HTML, so `List<String>` would lose its brackets.
    """

    def __init__(self, text: str, **options: Any) -> None:
        super().__init__(text, **options)
        parser = MarkdownIt("commonmark", {"html": False})
        # Without images, an image parses as a link, and its address is shown.
        parser.enable(["strikethrough", "table"]).disable("image")
        self.parsed = parser.parse(text)


def markdown(text: str, *, light: bool = False) -> Markdown:
    """Return `text` as rendered Markdown that shows the address of each link.

    Code has the terminal's own background, with colours that are readable on a `light`
    or a dark background.
    """
    theme = "ansi_light" if light else "ansi_dark"
    return _Markdown(_with_whole_code(text), hyperlinks=False, code_theme=theme)
