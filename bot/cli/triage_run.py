"""Runs triage at a terminal: shows progress, handles Ctrl-C, writes the results.

Rule: however a run ends, its answers are kept, and the last line says how to resume.
"""

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable, Iterator

from bot.claude.client import ClaudeClient
from bot.cli.environment import MISTAKE
from bot.errors import ConfigError, ModelError, StorageError
from bot.messages import triage_files as messages
from bot.ports.archive import Archive, ResultStore, Run, Tally
from bot.runtime import terminal
from bot.schemes.scheme import read
from bot.triage.bulk import progress, writer
from bot.triage.bulk.batches import Cancelled, Expired
from bot.triage.bulk.runs import Runner
from bot.triage.bulk.spend_limit import BudgetReached
from bot.ui import formatting

#: Exit statuses in addition to `MISTAKE`: all rows have values; some rows have none;
#: stopped by Ctrl-C, by shell convention.
ALL, SOME, STOPPED = 0, 1, 130


def write_text(path: str, text: str) -> None:
    """Write `text` to the file `path`, or print it for "-". Raises ConfigError."""
    with writer.open_result(path) as file:
        terminal.through(file).write(text)


async def warn_of_twins(archive: ResultStore, run: Run) -> None:
    """Warn of ids that several rows share. All of these rows are classified."""
    if not run.id_column:
        return
    if twins := await archive.duplicates(run.id, run.id_column):
        ids = f"{run.id_column} {', '.join(twins[:3])}"
        if len(twins) > 3:
            ids = messages.and_others(ids=ids)
        named = terminal.one_line(ids)
        text = messages.same_ids(ids=named)
        terminal.say(text, err=True)


async def sort(
    archive: Archive,
    run: Run,
    client: ClaudeClient,
    tabulate: writer.Tabulate,
    at_once: int,
) -> int:
    """Classify the remaining rows of `run` and write the results.

    Return the exit status.
    """
    err = terminal.console(stderr=True)
    began = time.monotonic()
    before = (await archive.tally(run.id)).cost
    with progress.Screen(err) as shown:
        runner = Runner(
            archive,
            run,
            client,
            at_once,
            on_progress=shown.show,
            on_trouble=shown.trouble,
        )
        task = asyncio.create_task(runner.classify())
        if run.batched:
            shown.say(messages.collected_by(run=run.id))
        with _interrupts(runner, task, shown.say):
            await asyncio.wait([task])
    status, why = _ending(runner, task)
    tally = await archive.tally(run.id)
    if task.cancelled():
        shown.say(_how_to_resume(run, tally))
        return status
    scheme = read(run.scheme)
    await writer.write(archive, run, scheme, tabulate)
    counts = {f.name: await archive.counts(run.id, f.name) for f in scheme.choices}
    seconds = time.monotonic() - began
    err.print(
        "",
        progress.summary(
            *(run, scheme, tally, counts, seconds),
            before=before,
            plain=terminal.plain(err),
        ),
    )
    if why:
        shown.say(why)
    if tally.left:
        shown.say(_how_to_resume(run, tally))
    else:
        await archive.finish(run.id)
    if status == ALL and (tally.left or tally.given_up):
        return SOME
    return status


def _ending(runner: Runner, task: "asyncio.Task[None]") -> tuple[int, str]:
    """Return the exit status and the reason why the run ended early, or ""."""
    if task.cancelled():
        return STOPPED, ""
    match task.exception():
        case None:
            return (
                (STOPPED, messages.STOPPED) if runner.stopping.is_set() else (ALL, "")
            )
        case BudgetReached():
            budget = formatting.exact_usd(runner.run.budget or 0.0)
            return SOME, messages.budget_no_room(budget=budget)
        case Expired() | Cancelled() as error:
            return SOME, str(error)
        case ModelError() | StorageError() | ConfigError() as error:
            return MISTAKE, f"threadkeep: {terminal.one_line(str(error))}"
        case BaseException() as error:
            raise error


def _how_to_resume(run: Run, tally: Tally) -> str:
    return messages.how_to_resume(sorted=tally.sorted, rows=tally.rows, run=run.id)


@contextlib.contextmanager
def _interrupts(
    runner: Runner, task: "asyncio.Task[None]", say: Callable[[str], None]
) -> Iterator[None]:
    """Stop on Ctrl-C or SIGTERM after the calls in progress; on a second one, at once.

    Batched runs stop at once on the first one.
    """
    loop = asyncio.get_running_loop()

    def stop() -> None:
        if runner.run.batched or runner.stopping.is_set():
            task.cancel()
            return
        runner.stopping.set()
        say(messages.STOPPING)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    try:
        yield
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
