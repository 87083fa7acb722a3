"""Reports of the command line: findings, spending, audit, feedback."""

import textwrap
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from bot.claude.catalog import saved
from bot.cli.labels import Labels
from bot.domain.budget import ALERTS, Balance, Budget, Period, Spending
from bot.domain.completion import Usage
from bot.domain.finding import Finding, Grade
from bot.domain.scope import Scope, ScopeLevel
from bot.domain.setting import AuditEntry, Refusal
from bot.domain.turn import Opinion
from bot.messages import budgets, check, phrases
from bot.messages import cli as messages
from bot.runtime import terminal
from bot.settings.options import BY_NAME
from bot.ui import formatting

MARKS = {
    Grade.GOOD: ("✓", "green"),
    Grade.ABSENT: ("–", "dim"),
    Grade.NOTE: ("!", "yellow"),
    Grade.BAD: ("✗", "red"),
}

#: The keys by which usage is grouped.
KEYS: Mapping[str, Callable[[Spending], str]] = {
    "day": lambda row: row.day,
    "channel": lambda row: _channel(row),
    "person": lambda row: f"{row.place.platform}:{row.person or '?'}",
    "model": lambda row: row.model or "?",
    "thread": lambda row: str(row.place),
}
#: The names of what usage is grouped by, where that has any: for a table, which tells
#: apart those that are called the same, and as they are.
_LABELS: Mapping[str, Callable[[Labels, Spending], str]] = {
    "channel": lambda labels, row: labels.place(row.place.at(ScopeLevel.CHANNEL)),
    "person": lambda labels, row: labels.person(row.place, row.person),
    "thread": lambda labels, row: labels.place(row.place),
}
_NAMES: Mapping[str, Callable[[Labels, Spending], str]] = {
    "channel": lambda labels, row: labels.place_name(row.place),
    "person": lambda labels, row: labels.person_name(row.place, row.person),
    "thread": lambda labels, row: labels.place_name(row.place),
}

BAR_CHARS = 24

# Columns between two parts of a finding, and the fewest for its text.
GAP = 2
LEAST_TEXT = 30


def findings(found: Sequence[Finding], width: int | None) -> list[Text]:
    """Return the lines for `found`: mark, subject, text. With a `width` in columns,
    long texts go on below themselves; words, such as addresses, are never broken."""
    subjects = max((cell_len(each.subject) for each in found), default=0)
    indent = " " * (1 + GAP + subjects + GAP)
    lines: list[Text] = []
    for each in found:
        mark, style = MARKS[each.grade]
        text = terminal.one_line(each.text)
        parts = [text]
        if width is not None:
            parts = textwrap.wrap(
                text,
                max(width - len(indent), LEAST_TEXT),
                break_long_words=False,
                break_on_hyphens=False,
            )
        padding = " " * (subjects - cell_len(each.subject) + GAP)
        head = f"{' ' * GAP}{each.subject}{padding}{parts[0]}"
        lines.append(Text.assemble((mark, style), head))
        lines += [Text(indent + part) for part in parts[1:]]
    return lines


@dataclass(slots=True)
class _Sum:
    answers: int = 0
    calls: int = 0
    cost: float = 0.0
    unpriced: int = 0
    #: Calls booked at an upper bound of their cost.
    bounded: int = 0
    saved: float = 0.0
    usage: Usage = field(default_factory=Usage)

    def add(self, row: Spending) -> None:
        self.answers += row.answers
        self.calls += row.turns
        self.cost += row.cost
        self.unpriced += row.unpriced
        self.bounded += row.bounded
        self.usage += row.usage
        noon = datetime.fromisoformat(f"{row.day}T12:00:00+00:00").timestamp()
        self.saved += saved(row.model, row.usage, noon)


def spending(
    rows: Sequence[Spending],
    by: str,
    *,
    labels: Labels | None = None,
    plain: bool = False,
) -> Table:
    """Return a table of usage, grouped by one of `KEYS`, with bars and with `labels`
    for ids; `plain` uses ASCII only."""
    named = _named(rows, by, labels, _LABELS)
    sums = _summed(rows, by)
    table = Table(box=None, pad_edge=False, show_footer=len(sums) > 1)
    total = _Sum()
    for row in rows:
        total.add(row)
    footer = iter((messages.TOTAL, *_cells(total)))
    table.add_column(by.capitalize(), next(footer), overflow="fold")
    for column in (
        *(
            messages.ANSWERS,
            messages.INPUT,
            messages.CACHE_WRITE,
            messages.CACHE_READ,
            messages.OUTPUT,
            messages.SEARCHES,
        ),
        *(messages.USD, messages.SAVED),
    ):
        table.add_column(column, next(footer), justify="right")
    table.add_column("")
    most = max((each.cost for each in sums.values()), default=0.0)
    for name, each in sums.items():
        bar = formatting.blocks(
            each.cost / most if most else 0.0, BAR_CHARS, plain=plain
        )
        table.add_row(Text(named.get(name) or name), *_cells(each), Text(bar, "cyan"))
    return table


def spending_rows(
    rows: Sequence[Spending], by: str, labels: Labels | None = None
) -> list[dict[str, Any]]:
    """Return usage as plain values, with names beside ids if there are `labels`."""
    named = _named(rows, by, labels, _NAMES)
    return [
        {
            by: name,
            **({f"{by}_name": named[name]} if name in named else {}),
            "answers": each.answers,
            "calls": each.calls,
            "input": each.usage.input,
            "cache_write": each.usage.cache_write_5m + each.usage.cache_write_1h,
            "cache_read": each.usage.cache_read,
            "output": each.usage.output,
            "searches": each.usage.searches,
            "fetches": each.usage.fetches,
            "usd": round(each.cost, 6),
            "saved_usd": round(each.saved, 6),
            "unpriced": each.unpriced,
            "bounded": each.bounded,
        }
        for name, each in _summed(rows, by).items()
    ]


def total(cap: Budget, balance: Balance) -> str:
    """Describe the state of the budget over all workspaces."""
    period = phrases.TODAY if cap.period is Period.DAY else phrases.THIS_MONTH
    used = budgets.spent_of(
        spent=formatting.exact_usd(balance.spent), budget=formatting.exact_usd(cap.usd)
    )
    held = formatting.exact_usd(balance.reserved) if balance.reserved else ""
    return messages.all_workspaces(
        period=period, used=used, reserved=held and budgets.reserved(amount=held)
    )


def total_budgets(standing: Sequence[tuple[Budget, Balance]]) -> list[Finding]:
    """Return the findings about the budgets over all workspaces."""
    subject = check.TOTAL_BUDGET
    if not standing:
        text = check.NO_TOTAL_BUDGET
        return [Finding(subject, Grade.NOTE, text)]
    return [
        Finding(
            subject,
            Grade.NOTE if balance.spent >= ALERTS[0] * cap.usd else Grade.GOOD,
            total(cap, balance),
        )
        for cap, balance in standing
    ]


def audit(entries: Sequence[AuditEntry], labels: Labels | None = None) -> Table:
    """Return a table of changes, the newest first, with `labels` for ids."""
    labels = labels or Labels()
    table = Table(box=None, pad_edge=False)
    for column in (messages.WHEN, messages.WHERE, messages.WHO, messages.WHAT):
        table.add_column(column, overflow="fold", no_wrap=column == messages.WHEN)
    for entry in entries:
        table.add_row(
            formatting.timestamp(entry.at),
            Text(labels.place(entry.place) or str(entry.place)),
            Text(labels.person(entry.place, entry.who) or entry.who),
            Text(_what(entry, labels)),
        )
    return table


def audit_rows(
    entries: Sequence[AuditEntry], labels: Labels | None = None
) -> list[dict[str, Any]]:
    """Return changes as plain values, with names beside ids if there are `labels`."""
    return [
        {
            "id": entry.id,
            "at": datetime.fromtimestamp(entry.at, UTC).isoformat(),
            "place": str(entry.place),
            **_place_name(labels, "place", entry.place),
            "who": entry.who,
            **_who_name(labels, entry.place, entry.who),
            "action": entry.action,
            "name": entry.name,
            "before": entry.before,
            "after": entry.after,
        }
        for entry in entries
    ]


def refusals(found: Sequence[Refusal], labels: Labels | None = None) -> Table:
    """Return a table of refusals by hour, the newest first, with `labels` for ids."""
    labels = labels or Labels()
    table = Table(box=None, pad_edge=False)
    for column in (messages.LAST_REFUSED, messages.WHERE, messages.WHO, messages.WHAT):
        table.add_column(
            column, overflow="fold", no_wrap=column == messages.LAST_REFUSED
        )
    table.add_column(messages.TIMES, justify="right")
    for each in found:
        table.add_row(
            formatting.timestamp(each.at),
            Text(labels.place(each.place) or str(each.place)),
            Text(labels.person(each.place, each.who) or each.who or messages.OTHERS),
            Text(each.name if each.who else messages.NOT_LISTED),
            f"{each.count:,}",
        )
    return table


def refusal_rows(
    found: Sequence[Refusal], labels: Labels | None = None
) -> list[dict[str, Any]]:
    """Return refusals as plain values, with names beside ids if there are `labels`."""
    return [
        {
            "at": datetime.fromtimestamp(each.at, UTC).isoformat(),
            "place": str(each.place),
            **_place_name(labels, "place", each.place),
            "who": each.who,
            **_who_name(labels, each.place, each.who),
            "name": each.name,
            "count": each.count,
        }
        for each in found
    ]


def opinions(found: Sequence[Opinion], labels: Labels | None = None) -> Table:
    """Return a table of feedback, without questions and answers, with `labels` for
    ids."""
    labels = labels or Labels()
    table = Table(box=None, pad_edge=False)
    for column in (messages.WHEN, "", messages.MODEL, messages.PROMPT, messages.WHERE):
        table.add_column(column, overflow="fold", no_wrap=column == messages.WHEN)
    for each in found:
        table.add_row(
            formatting.timestamp(each.at),
            messages.GOOD if each.good else messages.BAD,
            each.model,
            "" if each.prompt is None else messages.prompt_number(number=each.prompt),
            Text(labels.place(Scope.of(each.thread)) or str(each.thread)),
        )
    return table


def opinion_rows(
    found: Sequence[Opinion], labels: Labels | None = None, *, texts: bool
) -> list[dict[str, Any]]:
    """Return feedback as plain values, with names beside ids if there are `labels`;
    with questions and answers only if `texts`."""
    return [
        {
            "at": datetime.fromtimestamp(each.at, UTC).isoformat(),
            "thread": str(each.thread),
            **_place_name(labels, "thread", Scope.of(each.thread)),
            "turn": each.turn,
            messages.GOOD: each.good,
            "model": each.model,
            "prompt": each.prompt,
            **({"question": each.question, "answer": each.answer} if texts else {}),
        }
        for each in found
    ]


def _summed(rows: Iterable[Spending], by: str) -> dict[str, _Sum]:
    """Return the groups: days in order, anything else by cost, the highest first."""
    sums: dict[str, _Sum] = defaultdict(_Sum)
    for row in rows:
        sums[KEYS[by](row)].add(row)
    if by == "day":
        return dict(sorted(sums.items()))
    return dict(sorted(sums.items(), key=lambda item: (-item[1].cost, item[0])))


def _named(
    rows: Iterable[Spending],
    by: str,
    labels: Labels | None,
    names: Mapping[str, Callable[[Labels, Spending], str]],
) -> dict[str, str]:
    """Return the names of the groups by key; none for groups that have no names."""
    if labels is None or by not in names:
        return {}
    return {KEYS[by](row): names[by](labels, row) for row in rows}


def _place_name(labels: Labels | None, of: str, place: Scope) -> dict[str, str]:
    return {} if labels is None else {f"{of}_name": labels.place_name(place)}


def _who_name(labels: Labels | None, place: Scope, who: str) -> dict[str, str]:
    return {} if labels is None else {"who_name": labels.person_name(place, who)}


def _cells(total: _Sum) -> list[str]:
    usage = total.usage
    return [
        f"{total.answers:,}",
        f"{usage.input:,}",
        f"{usage.cache_write_5m + usage.cache_write_1h:,}",
        f"{usage.cache_read:,}",
        f"{usage.output:,}",
        f"{usage.searches:,}",
        _cost(total),
        f"{total.saved:.4f}",
    ]


def _cost(total: _Sum) -> str:
    cost = (
        phrases.at_most(amount=f"{total.cost:.4f}")
        if total.bounded
        else f"{total.cost:.4f}"
    )
    if not total.unpriced:
        return cost
    if total.unpriced == total.calls:
        return messages.UNKNOWN
    return messages.and_unknown(cost=cost, count=total.unpriced)


def _what(entry: AuditEntry, labels: Labels) -> str:
    option = BY_NAME.get(entry.name)
    plain = option is not None and not option.versioned
    before, after = (
        phrases.NOT_SET
        if value is None
        else (
            labels.value(entry.place, option.show(value)) if option and plain else value
        )
        for value in (entry.before, entry.after)
    )
    return messages.audit_entry(
        action=entry.action, name=entry.name, before=before, after=after
    )


def _channel(row: Spending) -> str:
    place = row.place
    return f"{place.platform}:{place.workspace}:{place.channel}"
