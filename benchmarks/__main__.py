"""`python -m benchmarks` measures everything; a name or two measure only that."""

import asyncio

import click
from rich.console import Console

from benchmarks import footprint, lag, latency, start
from benchmarks.machine import facts

CLAIMS = {
    "start": start.measure,
    "latency": latency.measure,
    "footprint": footprint.measure,
    "lag": lag.measure,
}

WIDTH = 120


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(CLAIMS)))
def main(names: tuple[str, ...]) -> None:
    """Measure what the README claims, and print it."""
    console = Console()
    if not console.is_terminal:
        # Into a file or a pipe rich would fold the tables to 80 columns.
        console = Console(width=WIDTH)
    console.print(facts(), "", highlight=False)
    for name in names or CLAIMS:
        console.print(asyncio.run(CLAIMS[name]()), "")


if __name__ == "__main__":
    main(prog_name="python -m benchmarks")
