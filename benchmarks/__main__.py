"""`python -m benchmarks [NAME …]` measures everything, or only the benchmarks named.
`--platform` measures on one platform only."""

import asyncio

import click
from rich.console import Console

from benchmarks import (
    acknowledging,
    caching,
    files,
    footprint,
    governing,
    lag,
    latency,
    methods,
    pacing,
    pages,
    reading,
    reports,
    scale,
    search,
    sharing,
    start,
    streaming,
    takeover,
    triage,
)
from benchmarks.machine import facts
from benchmarks.platforms import NAMES

CLAIMS = {
    "start": start.measure,
    "latency": latency.measure,
    "acknowledging": acknowledging.measure,
    "governing": governing.measure,
    "streaming": streaming.measure,
    "footprint": footprint.measure,
    "lag": lag.measure,
    "pacing": pacing.measure,
    "sharing": sharing.measure,
    "pages": pages.measure,
    "methods": methods.measure,
    "caching": caching.measure,
    "files": files.measure,
    "search": search.measure,
    "reading": reading.measure,
    "reports": reports.measure,
    "scale": scale.measure,
    "takeover": takeover.measure,
    "triage": triage.measure,
}

WIDTH = 120


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(CLAIMS)))
@click.option("--platform", type=click.Choice(NAMES), help="Measure only there.")
def main(names: tuple[str, ...], platform: str | None) -> None:
    """Measure the figures in docs/performance.md and print them."""
    console = Console()
    if not console.is_terminal:
        # In a file or a pipe, rich would fold the tables to 80 columns.
        console = Console(width=WIDTH)
    console.print(facts(), "", highlight=False)
    platforms = (platform,) if platform else NAMES
    for name in names or CLAIMS:
        console.print(asyncio.run(CLAIMS[name](platforms)), "")


if __name__ == "__main__":
    main(prog_name="python -m benchmarks")
