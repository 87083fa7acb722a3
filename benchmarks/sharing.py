"""Measures how much longer readers wait if processes share the limits of a
workspace."""

from collections.abc import Sequence

from rich.table import Table

from benchmarks.table import span, table
from bot.domain.scope import ThreadKey
from tests.support.simulated_replies import SPEED, Reply, Run, asker, others

ANSWERS = (5, 20, 50)
PROCESSES = (2, 4, 8)
CHANNELS, CHARS = 5, 1_500


async def measure(platforms: Sequence[str]) -> Table:
    """Write 5, 20 and 50 answers at once on Slack, in simulated time, by one process
    alone and by several processes."""
    rows = []
    for streams in (False, True):
        for answers in ANSWERS:
            alone = _run(answers, 0, streams=streams)
            what = f"{answers} answers, {'native streams' if streams else 'edits'}"
            rows.append((what, "1", *_lags(alone, alone), "-"))
            for processes in PROCESSES:
                team = _run(answers, processes, streams=streams)
                made = sum(team.writes.values())
                rows.append(
                    (
                        *("", str(processes), *_lags(team, alone)),
                        f"{team.asked / made:.1f}",
                    )
                )
    columns = ("", "processes", "everybody", "ratio", "asker", "ratio", "429s", "asks")
    return table(
        "sharing: write limits that several processes share",
        columns,
        rows,
        caption=f"""Mean visible lag of answers of about {CHARS:,} characters in
        {CHANNELS} channels of one workspace, under a meter with Slack's limits; "asks"
        is how often a row is asked for each write. Simulated: no time passes in
        processes or in the database.""",
    )


def _lags(run: Run, alone: Run) -> tuple[str, ...]:
    return (
        *(span(run.lag(others)), f"{run.lag(others) / alone.lag(others):.2f}x"),
        *(span(run.lag(asker)), f"{run.lag(asker) / alone.lag(asker):.2f}x"),
        str(run.refused),
    )


def _run(answers: int, processes: int, *, streams: bool) -> Run:
    replies = [
        Reply(
            str(nth),
            ThreadKey("slack", "T1", f"C{nth % CHANNELS}", str(nth)),
            nth * 0.01,
            nth * 0.01 + CHARS / SPEED * (0.7 + nth * 7 % 10 / 15),
            may_stream=streams,
        )
        for nth in range(answers)
    ]
    return Run(replies, processes=processes).play()
