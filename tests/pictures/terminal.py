"""A terminal's screen as a page. Pure."""

import html
from itertools import groupby

import pyte
from pyte.screens import Char

STYLE = """
body { background: #1e1e2e; margin: 0; display: flow-root; }
pre { color: #cdd6f4; font: 14px/1.35 'DejaVu Sans Mono', 'Noto Color Emoji', monospace;
      margin: 0; padding: 16px 20px; }
"""
#: The sixteen colours that programs name; what they give as a number is taken as it is.
COLOURS = {
    "black": "#45475a",
    "red": "#f38ba8",
    "green": "#a6e3a1",
    "brown": "#f9e2af",
    "blue": "#89b4fa",
    "magenta": "#f5c2e7",
    "cyan": "#94e2d5",
    "white": "#bac2de",
    "brightblack": "#7f849c",
    "brightred": "#f38ba8",
    "brightgreen": "#a6e3a1",
    "brightbrown": "#f9e2af",
    "brightblue": "#89b4fa",
    "brightmagenta": "#f5c2e7",
    "brightcyan": "#94e2d5",
    "brightwhite": "#ffffff",
}


def page(screen: pyte.Screen, *, typed: str = "") -> str:
    """Return a screen as HTML, below the command line `typed` and without the empty
    lines at its end."""
    lines = [html.escape(typed)] if typed else []
    # All of it is put together anew each time that somebody looks at it.
    lines += [_line(screen, row, text) for row, text in enumerate([*screen.display])]
    shown = "\n".join(lines).rstrip()
    return f"<meta charset=utf-8><style>{STYLE}</style><body><pre>{shown}</pre></body>"


def _line(screen: pyte.Screen, row: int, text: str) -> str:
    width = len(text.rstrip())
    chars = [screen.buffer[row][column] for column in range(width)]
    return "".join(
        _span(style, "".join(each.data for each in run))
        for style, run in groupby(chars, _style)
    )


def _span(style: str, text: str) -> str:
    text = html.escape(text)
    return f'<span style="{style}">{text}</span>' if style else text


def _style(char: Char) -> str:
    front, back = _colour(char.fg), _colour(char.bg)
    if char.reverse:
        front, back = back or "#1e1e2e", front or "#cdd6f4"
    styles = {
        f"color:{front}": front,
        f"background:{back}": back,
        "font-weight:700": char.bold,
        "font-style:italic": char.italics,
        "text-decoration:underline": char.underscore,
        "text-decoration:line-through": char.strikethrough,
    }
    return ";".join(style for style, applies in styles.items() if applies)


def _colour(name: str) -> str:
    return "" if name == "default" else COLOURS.get(name, f"#{name}")
