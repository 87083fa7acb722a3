"""Draws `docs/pictures/shapes.svg`: the shapes in which Threadkeep runs.

`make docs` runs this module. A test fails if the picture differs.
"""

from html import escape

from tests.support.locks import ROOT

FILE = ROOT / "docs" / "pictures" / "shapes.svg"

WIDTH, HEIGHT = 960, 372
PANEL = 300

INK, SOFT = "#2b2b2b", "#6b6b6b"
PLATFORM, PROCESS, DATABASE = "#7a6c8f", "#2f5d8a", "#b3541e"

STYLE = """\
text{font-family:Lato,Helvetica,Arial,sans-serif;text-anchor:middle;fill:#2b2b2b}
.title{font-size:17px;font-weight:700}
.name{font-size:13px}
.small{font-size:12px;fill:#6b6b6b}"""


def text(x: float, y: float, words: str, look: str = "name") -> str:
    """Return `words`, centred at `x`."""
    return f'<text class="{look}" x="{x:g}" y="{y:g}">{escape(words)}</text>'


def box(
    x: float, y: float, width: float, words: str, colour: str, height: float = 32
) -> str:
    """Return a box around `words`, centred at `x` with its top at `y`."""
    left = x - width / 2
    return (
        f'<rect x="{left:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="6" '
        f'fill="{colour}" fill-opacity="0.12" stroke="{colour}" stroke-width="1.5"/>'
    ) + text(x, y + height / 2 + 4.5, words)


def database(x: float, y: float, width: float, words: str, beside: str) -> str:
    """Return a cylinder with the name of a database, and `beside` as text below it."""
    left, right, height, curve = x - width / 2, x + width / 2, 52, 8
    sides = (
        f"M{left:g} {y + curve:g} v{height - 2 * curve} a{width / 2:g} {curve} 0 0 0 "
        f"{width:g} 0 v{2 * curve - height}"
    )
    return (
        f'<path d="{sides}" fill="{DATABASE}" fill-opacity="0.12" '
        f'stroke="{DATABASE}" stroke-width="1.5"/>'
        f'<ellipse cx="{x:g}" cy="{y + curve:g}" rx="{right - x:g}" ry="{curve}" '
        f'fill="#fbeee6" stroke="{DATABASE}" stroke-width="1.5"/>'
    ) + "".join((text(x, y + 36, words), text(x, y + height + 18, beside, "small")))


def line(x1: float, y1: float, x2: float, y2: float) -> str:
    """Return a line between two parts that communicate."""
    return (
        f'<line x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}" '
        f'stroke="{SOFT}" stroke-width="1.3"/>'
    )


def machine(x: float, y: float, width: float, height: float) -> str:
    """Return the outline of a machine, centred at `x`."""
    return (
        f'<rect x="{x - width / 2:g}" y="{y:g}" width="{width:g}" height="{height:g}" '
        f'rx="10" fill="none" stroke="{SOFT}" stroke-dasharray="5 4"/>'
    )


def platforms(x: float) -> str:
    """Return the boxes of both platforms, centred at `x`."""
    return box(x - 52, 62, 84, "Slack", PLATFORM) + box(
        x + 52, 62, 84, "Discord", PLATFORM
    )


def one_box(x: float) -> str:
    """Return the panel of one process."""
    return "".join(
        (
            text(x, 34, "One box", "title"),
            line(x - 52, 94, x - 20, 168) + line(x + 52, 94, x + 20, 168),
            line(x, 200, x, 252),
            platforms(x),
            machine(x, 122, 236, 214),
            box(x, 168, 150, "threadkeep serve", PROCESS),
            database(x, 252, 150, "threadkeep.db", "SQLite"),
        )
    )


def several(x: float) -> str:
    """Return the panel of gateways and workers on one machine with a database."""
    parts = [text(x, 34, "Gateways and workers", "title")]
    for gateway, from_, is_both in ((x - 58, x - 52, False), (x + 58, x + 52, True)):
        parts.append(line(from_, 94, gateway, 138))
        parts.append(line(gateway, 170, x + (12 if is_both else -12), 208))
    parts.append(line(x - 52, 94, x + 50, 138) + line(x + 52, 94, x - 50, 138))
    workers = [x - 99, x - 33, x + 33, x + 99]
    parts += [line(worker, 296, x + (worker - x) / 4, 252) for worker in workers]
    parts.append(platforms(x))
    parts.append(machine(x, 122, 276, 214))
    parts += [box(each, 138, 92, "gateway", PROCESS) for each in (x - 58, x + 58)]
    parts.append(database(x, 200, 116, "PostgreSQL", ""))
    parts += [box(worker, 296, 58, "work", PROCESS, 28) for worker in workers]
    return "".join(parts)


def managed(x: float) -> str:
    """Return the panel of processes on several machines with a managed database."""
    parts = [text(x, 34, "Managed PostgreSQL", "title")]
    for side in (-1, 1):
        middle = x + side * 72
        parts.append(line(x + side * 52, 94, middle, 138))
        parts.append(line(x + side * 52, 94, x - side * 60, 138))
        parts.append(line(middle, 234, x - 72 + side * 8, 274))
        parts.append(machine(middle, 122, 132, 112))
        parts.append(box(middle, 138, 92, "gateway", PROCESS))
        parts += [
            box(middle + at, 188, 54, "work", PROCESS, 28) for at in (-30.5, 30.5)
        ]
    parts.append(platforms(x))
    parts.append(line(x - 20, 298, x + 20, 298))
    parts.append(database(x - 72, 272, 104, "primary", "backed up by its host"))
    parts.append(database(x + 72, 272, 104, "replica", "takes its place"))
    return "".join(parts)


def picture() -> str:
    """Return the picture as SVG."""
    panels = "\n".join(
        draw(PANEL * (nth + 0.5) + 15 * (nth + 1))
        for nth, draw in enumerate((one_box, several, managed))
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'width="{WIDTH}" height="{HEIGHT}">\n<style>{STYLE}</style>\n'
        f'<rect width="{WIDTH}" height="{HEIGHT}" rx="12" fill="#ffffff"/>\n'
        f"{panels}\n</svg>\n"
    )


if __name__ == "__main__":
    FILE.write_text(picture())
