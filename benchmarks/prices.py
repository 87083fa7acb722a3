"""Finds prices for the bound of benchmarks/least.py, and keeps the best in prices.json:

    python -m benchmarks.prices --replies 5 --channels 5 --first 1.4 --seconds 120

The bound is a concave function of the prices, so that it can be climbed: a kind of
write becomes dearer at the times at which the cheapest schedule uses more of it than
there is, and cheaper where it uses less. Steps are as long as Polyak's, towards a level
that is lowered whenever no progress is made.
"""

import argparse
import json
import time
from collections.abc import Sequence

from benchmarks import least
from benchmarks.least import KINDS, PRICES, Prices, Times

#: The length in seconds of the answer that the prices are for, and the tokens of the
#: search. Fewer tokens are faster, and the prices are as good for all tokens.
SECONDS = 6.25
COARSE = 75

#: How far the level is above the best bound at first and at last, as a fraction.
FAR, NEAR = 0.1, 0.0005
#: The number of steps without progress after which the level is lowered.
PATIENCE = 40
#: The fraction of the previous direction that a step keeps.
KEPT = 0.6

Vector = dict[tuple[str, int], float]


def climb(
    replies: int, channels: int, first: float, begin: Prices, seconds: float
) -> tuple[float, Prices]:
    """Return the best bound found within `seconds`, and its prices. The bound is in
    seconds squared of lag, plus the first words at the price `first`. The search starts
    at the prices `begin`."""
    times = least.times_of(SECONDS, COARSE)
    cells = range(len(times.edges))
    now = {kind: list(begin.get(kind, [0.0] * len(cells))) for kind in KINDS}
    best, found = 0.0, now
    far, idle, last = FAR, 0, dict[tuple[str, int], float]()
    until = time.monotonic() + seconds
    while time.monotonic() < until and far > NEAR:
        value, up = _ascent(times, now, replies, channels, first)
        if value > best + 1e-4 * max(1.0, best):
            best, found, idle = value, {k: list(v) for k, v in now.items()}, 0
        elif (idle := idle + 1) > PATIENCE:
            far, idle, last = far / 2, 0, {}
            now = {kind: list(each) for kind, each in found.items()}
            continue
        up = {
            each: up.get(each, 0.0) + KEPT * last.get(each, 0.0)
            for each in up.keys() | last.keys()
        }
        level = best + far * max(1.0, best) - value
        step = max(0.0, level) / (sum(each**2 for each in up.values()) or 1.0)
        for (kind, cell), each in up.items():
            # The last cell has no end, so its price stays 0.
            if cell < len(cells) - 1:
                now[kind][cell] = max(0.0, now[kind][cell] + step * each)
        last = up
    return best, found


def _ascent(
    times: Times, prices: Prices, replies: int, channels: int, first: float
) -> tuple[float, Vector]:
    """Return the bound with `prices`, and the direction in which it grows."""
    plan, up, value = least.cheapest(times, prices, first), Vector(), 0.0
    for kind, write in plan.writes:
        place = kind, times.cells[write]
        up[place] = up.get(place, 0.0) + 1.0
    for kind, rate in KINDS.items():
        share = (channels if kind == "P" else 1) / replies
        for cell in least.dearest(prices[kind], times.edges, rate):
            up[kind, cell] = up.get((kind, cell), 0.0) - share
            value += share * prices[kind][cell]
    return plan.cost - value, up


def main() -> None:
    """Improve the prices of one scene, and store them if they prove a better bound."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replies", type=int, required=True)
    parser.add_argument("--channels", type=int, required=True)
    parser.add_argument("--first", type=float, default=0.0, help="price of a second")
    parser.add_argument("--seconds", type=float, default=60.0, help="to look for them")
    args = parser.parse_args()
    scene = {each: getattr(args, each) for each in ("replies", "channels", "first")}
    known = json.loads(PRICES.read_text())
    same = [e for e in known if all(e[name] == scene[name] for name in scene)]
    alike = same or [e for e in known if e["replies"] == args.replies]
    near = min(alike, key=lambda e: abs(e["first"] - args.first), default=None)
    begin = least.unpacked(near["prices"]) if near else {}
    _, found = climb(**scene, begin=begin, seconds=args.seconds)
    packed = {kind: p for kind in found if (p := _packed(found[kind]))}
    before = max((_proven(e["prices"], **scene) for e in same), default=float("-inf"))
    after = _proven(packed, **scene)
    print(f"{before:.3f} s before, {after:.3f} s after, with first words for nothing")
    if after > before:
        rest = [each for each in known if each not in same]
        lines = [json.dumps(e) for e in [*rest, scene | {"prices": packed}]]
        PRICES.write_text("[\n" + ",\n".join(lines) + "\n]\n")


def _proven(packed: least.Packed, replies: int, channels: int, first: float) -> float:
    """Return the bound for all tokens, in seconds."""
    prices = least.unpacked(packed)
    times = least.times_of(SECONDS)
    return least.bound(times, prices, replies, channels, KINDS, first) / SECONDS


def _packed(prices: Sequence[float]) -> list[tuple[int, float]]:
    """Return the runs of equal prices as (first cell, price), or none if all prices are
    0."""
    rounded = [round(each, 3) for each in prices]
    runs = [
        (cell, price)
        for cell, price in enumerate(rounded)
        if not cell or price != rounded[cell - 1]
    ]
    return runs if any(rounded) else []


if __name__ == "__main__":
    main()
