"""Renders the progress and summary of a triage run on the command line."""

import time
from collections.abc import Callable, Mapping, Sequence

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from bot.messages import phrases, plurals
from bot.messages import triage_files as messages
from bot.ports.archive import DONE, Run, Sent, Tally
from bot.schemes.scheme import Scheme
from bot.triage.bulk.estimate import Estimate
from bot.triage.bulk.runs import Progress
from bot.ui.formatting import amount, blocks, exact_usd, timestamp

BAR_CHARS = 32

# Without a terminal, the interval of progress lines in seconds.
_LINE = 15.0
# The window over which the rate is measured, in seconds.
_WINDOW = 20.0


class Screen:
    """Shows the progress of a run on standard error: a bar above a sentence, or without
    a terminal the same sentence at intervals, which `rich.progress` cannot do."""

    def __init__(
        self, console: Console, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._console = console
        self._clock = clock
        self._progress = Progress()
        self._seen: list[tuple[float, int]] = []
        self._line_at = clock()
        self._live = Live(
            get_renderable=self._draw,
            console=console,
            refresh_per_second=4,
            transient=True,
        )

    def __enter__(self) -> "Screen":
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self._console.is_terminal:
            self._live.stop()

    def show(self, progress: Progress) -> None:
        """Show `progress`."""
        self._progress = progress
        now = self._clock()
        if not self._seen or now - self._seen[-1][0] >= 1.0:
            self._seen.append((now, progress.done + progress.waiting))
            self._seen = [each for each in self._seen if now - each[0] <= _WINDOW]
        if not self._console.is_terminal and now - self._line_at >= _LINE:
            self._line_at = now
            self.say(self._status_line())

    def say(self, text: str) -> None:
        """Print a line."""
        self._console.print(text, soft_wrap=True)

    def trouble(self, why: str) -> None:
        """Show why no answers arrive."""
        self.say(messages.waiting(why=why))

    def _draw(self) -> RenderableType:
        said = self._progress
        done = said.done + said.waiting
        grid = Table.grid(padding=(0, 1))
        grid.add_row(
            ProgressBar(total=max(1, said.total), completed=done, width=BAR_CHARS),
            Text(f"{100 * done // max(1, said.total)} %"),
        )
        return Group(grid, Text(self._status_line()))

    def _status_line(self) -> str:
        said = self._progress
        done = said.done + said.waiting
        of = plurals.TICKETS(said.total)
        if said.rows > said.total:
            of = messages.different_of(total=said.total, rows=said.rows)
        parts = [messages.tickets_done(done=done, of=of)]
        if rate := self._rate():
            parts.append(messages.per_second(rate=rate))
        expected = said.expected
        whole = (
            messages.of_about(amount=exact_usd(expected))
            if expected is not None
            else ""
        )
        parts.append(f"{exact_usd(said.cost)}{whole}")
        if rate and done < said.total:
            parts.append(messages.time_left(time=duration((said.total - done) / rate)))
        if said.marked:
            parts.append(messages.tickets_marked(count=said.marked))
        return ", ".join(parts)

    def _rate(self) -> float:
        if len(self._seen) < 2:
            return 0.0
        (began, first), (ended, last) = self._seen[0], self._seen[-1]
        return (last - first) / (ended - began)


def duration(seconds: float) -> str:
    """Format `seconds` in the largest one or two units."""
    whole = round(seconds)
    if whole < 90:
        return messages.seconds(count=whole)
    if whole < 90 * 60:
        return messages.minutes(count=whole // 60)
    return messages.hours(count=whole // 3600, minutes=whole % 3600 // 60)


def summary(
    run: Run,
    scheme: Scheme,
    tally: Tally,
    counts: Mapping[str, Mapping[str, int]],
    seconds: float,
    *,
    before: float = 0.0,
    plain: bool = False,
) -> RenderableType:
    """Return the result of a run: `counts` by field and value, with bars, and the cost
    beyond the `before` USD of earlier processes; `plain` uses ASCII only."""
    parts: list[RenderableType] = []
    for field in scheme.choices:
        table = Table(box=None, pad_edge=False, header_style="bold")
        table.add_column(field.name, min_width=12)
        table.add_column(messages.TICKETS, justify="right")
        table.add_column("", justify="right")
        table.add_column("")
        found = counts.get(field.name, {})
        most = max(found.values(), default=0)
        for value in field.values:
            rows = found.get(value, 0)
            share = f"{100 * rows / max(1, tally.sorted):.0f} %"
            table.add_row(
                Text(value),
                f"{rows:,}",
                share,
                Text(bar(rows / most if most else 0, plain=plain), "cyan"),
            )
        parts += [table, ""]
    parts.append(_facts(run, tally, seconds, before))
    return Group(*parts)


def _facts(run: Run, tally: Tally, seconds: float, before: float) -> Table:
    facts = Table.grid(padding=(0, 2))
    facts.add_row(
        messages.SORTED, messages.rows_sorted(sorted=tally.sorted, rows=tally.rows)
    )
    for reason, rows in tally.marked.items():
        facts.add_row(messages.NOT_SORTED, f"{rows:,}: {reason}")
    if tally.left:
        facts.add_row(messages.LEFT, plurals.ROWS(tally.left))
    used = tally.usage
    facts.add_row(
        messages.TOKENS,
        messages.tokens_used(
            read=used.prompt, cached=used.cache_read, written=used.output
        ),
    )
    twins = tally.rows - tally.questions
    same = messages.rows_alike(count=twins) if twins else ""
    how = messages.IN_BATCHES if run.batched else messages.IN_CALLS
    now = None if tally.unpriced else max(0.0, tally.cost - before)
    cost = amount(now, bounded=tally.lost > 0, exact=True)
    if before:
        cost = messages.paid_before(cost=cost, before=exact_usd(before))
    facts.add_row(
        messages.COST,
        messages.run_cost(cost=cost, model=run.model, how=how, alike=same),
    )
    facts.add_row(messages.TIME, duration(seconds))
    if files := [file for file, _ in run.outputs if file != "-"]:
        facts.add_row(messages.WRITTEN, Text(", ".join(files)))
    return facts


def bar(share: float, *, plain: bool = False) -> str:
    """Return a bar for `share`, from 0 to 1."""
    return blocks(share, BAR_CHARS, plain=plain)


def estimates(found: Sequence[Estimate], total: int) -> RenderableType:
    """Return a table of the estimated cost by model."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(messages.MODEL, no_wrap=True)
    for name in (messages.NOW, "--batch"):
        table.add_column(name, justify="right", no_wrap=True)
    for name in (messages.PROMPT, messages.A_TICKET, messages.AN_ANSWER):
        head = f"{name}\n{messages.IN_TOKENS}"
        table.add_column(head, justify="right", no_wrap=True)
    for each in found:
        table.add_row(
            each.model,
            amount(each.now, bounded=False, exact=True),
            _span(each.batch_best, each.batch_worst),
            f"{each.prompt:,}{'' if each.cached else ' *'}",
            f"{each.ticket:,.0f}",
            f"{each.answer:,.0f}",
        )
    notes = [
        messages.different_tickets(count=total),
        messages.SAMPLED,
        messages.BATCH_COST,
    ]
    if not all(each.cached for each in found):
        notes.append(messages.NOT_CACHED)
    return Group(table, "", *(Text(note, "dim") for note in notes))


def _span(least: float | None, most: float | None) -> str:
    if least is None or most is None:
        return phrases.PRICE_UNKNOWN
    return f"{exact_usd(least)} – {exact_usd(most)}"


def runs(found: Sequence[tuple[Run, Tally, Sequence[Sent]]]) -> Table:
    """Return a table of runs."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in (
        *(messages.RUN, messages.BEGUN, messages.FILE, messages.ROWS),
        *(messages.STATE, messages.MODEL, messages.BATCHES),
    ):
        table.add_column(name, justify="right" if name == messages.ROWS else "left")
    for run, tally, sent in found:
        waiting = sum(not each.collected for each in sent)
        state = messages.RUN_DONE
        if run.state != DONE:
            state = messages.rows_left(count=tally.left)
        if waiting:
            state = messages.batches_waiting(state=state, count=waiting)
        table.add_row(
            run.id,
            timestamp(run.at),
            Text(run.source),
            f"{run.rows:,}",
            state,
            run.model,
            str(len(sent)) if sent else "–",
        )
    return table
