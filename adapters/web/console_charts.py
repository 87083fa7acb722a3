"""Charts of the console as SVG, which a browser shows without a script. Pure.

Rule: a chart has a name, and its numbers are also in a table or in its own text.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

# The size of a chart in its own units, and the room for the axes.
WIDTH, HEIGHT = 760.0, 190.0
LEFT, RIGHT, BOTTOM, TOP = 52.0, 18.0, 24.0, 10.0

# How many horizontal lines there are above the base line.
LINES = 4
# About the width of the label of a day.
LABEL = 64.0
# The radius of a bar's corners, its greatest width, and the largest share of its column
# that it fills.
ROUND, MOST_WIDE, SHARE = 2.0, 34.0, 0.72


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar."""

    label: str
    value: float
    #: The text shown when the pointer is on the bar.
    title: str


def bars(name: str, found: Sequence[Bar]) -> Markup:
    """Return a chart of amounts in USD, with a bar for each of `found`."""
    top = _nice(max((each.value for each in found), default=0.0))
    ground = HEIGHT - BOTTOM
    room = (WIDTH - LEFT - RIGHT) / max(1, len(found))
    wide = min(MOST_WIDE, room * SHARE)
    every = max(1, int(LABEL / room) + 1)
    drawn = [_axis(top, ground)]
    for number, each in enumerate(found):
        high = (ground - TOP) * each.value / top
        middle = LEFT + room * (number + 0.5)
        x, y = middle - wide / 2, ground - high
        drawn.append(
            Markup('<g class="bar"><title>{}</title>{}{}</g>').format(
                each.title,
                # The whole column reacts to the pointer, also above the bar.
                Markup(
                    '<rect class="hit" x="{:.1f}" y="{:.1f}" width="{:.1f}" '
                    'height="{:.1f}"/>'
                ).format(LEFT + room * number, TOP, room, ground - TOP),
                _column(x, y, wide, high),
            )
        )
        # Counted from the end, so that the newest has its label.
        if (len(found) - 1 - number) % every == 0:
            drawn.append(
                Markup('<text class="x" x="{:.1f}" y="{:.1f}">{}</text>').format(
                    middle, HEIGHT - 6, each.label
                )
            )
    return _svg(name, drawn, WIDTH, HEIGHT)


def meter(name: str, share: float, mark: float | None = None) -> Markup:
    """Return a bar that is filled to `share`, with a line at `mark`, the share that it
    is expected to reach."""
    filled = min(1.0, max(0.0, share)) * 100
    kind = "over" if share >= 1 else "near" if share >= 0.75 else "fine"
    drawn = [
        Markup('<rect class="ground" width="100" height="8" rx="4"/>'),
        Markup('<rect class="{}" width="{:.2f}" height="8" rx="{:.2f}"/>').format(
            kind, filled, min(4.0, filled / 2)
        ),
    ]
    if mark is not None:
        at = min(99.0, max(0.0, mark * 100))
        drawn.append(
            Markup(
                '<rect class="mark" x="{:.2f}" y="-1" width="1" height="10"/>'
            ).format(at)
        )
    return _svg(name, drawn, 100.0, 8.0, kind="meter")


def _column(x: float, y: float, wide: float, high: float) -> Markup:
    if high <= 0:
        return Markup("")
    corner = min(ROUND, high / 2)
    return Markup(
        '<path d="M{:.1f} {:.1f}v{:.1f}q0 {:.1f} {:.1f} {:.1f}h{:.1f}'
        'q{:.1f} 0 {:.1f} {:.1f}v{:.1f}z"/>'
    ).format(
        *(x, y + high, corner - high, -corner, corner, -corner),
        *(wide - 2 * corner, corner, corner, corner, high - corner),
    )


def _axis(top: float, ground: float) -> Markup:
    lines = []
    for number in range(LINES + 1):
        y = ground - (ground - TOP) * number / LINES
        kind = "line" if number else "base"
        lines.append(
            Markup(
                '<line class="{}" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>'
                '<text class="y" x="{}" y="{:.1f}">{}</text>'
            ).format(
                *(kind, LEFT, WIDTH - RIGHT, y, y, LEFT - 8, y + 3.5),
                _usd(top * number / LINES),
            )
        )
    return Markup("").join(lines)


def _svg(
    name: str,
    drawn: Sequence[Markup],
    width: float,
    height: float,
    kind: str = "chart",
) -> Markup:
    return Markup(
        '<svg class="{}" viewBox="0 0 {:g} {:g}" role="img" aria-label="{}"'
        ' preserveAspectRatio="{}">{}</svg>'
    ).format(
        *(kind, width, height, escape(name)),
        "none" if kind == "meter" else "xMidYMid meet",
        Markup("").join(drawn),
    )


def _nice(value: float) -> float:
    """Return a round number that is at least `value` and above 0."""
    if value <= 0:
        return 1.0
    power = 1.0
    while power < value:
        power *= 10
    while power / 10 >= value:
        power /= 10
    return next(
        step * power / 10 for step in (1, 2, 4, 5, 8, 10) if step * power / 10 >= value
    )


def _usd(value: float) -> str:
    digits = 0 if value == 0 or value >= 10 else 2 if value >= 0.01 else 4
    return f"${value:,.{digits}f}"
