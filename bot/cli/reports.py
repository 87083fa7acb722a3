"""Reports for the command line: findings, spending, audit, feedback."""

import textwrap
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from bot.domain.budget import ALERTS, Balance, Budget, Period, Spending
from bot.domain.finding import Finding, Grade
from bot.domain.reports import UsageKey, UsageRow
from bot.domain.scope import Scope, ThreadKey
from bot.domain.setting import AuditEntry, Refusal
from bot.domain.turn import Opinion
from bot.messages import budgets, check, phrases
from bot.messages import cli as messages
from bot.reports import usage
from bot.reports.labels import Labels
from bot.runtime import terminal
from bot.settings.options import BY_NAME
from bot.ui import formatting

MARKS = {
    Grade.GOOD: ("✓", "green"),
    Grade.ABSENT: ("–", "dim"),
    Grade.NOTE: ("!", "yellow"),
    Grade.BAD: ("✗", "red"),
}

# Marks for terminals that show only ASCII.
_PLAIN = {Grade.GOOD: "+", Grade.ABSENT: "-", Grade.NOTE: "!", Grade.BAD: "x"}

BAR_CHARS = 24

# The columns between two parts of a finding, and the minimum for its text.
GAP = 2
LEAST_TEXT = 30


def findings(
    found: Sequence[Finding], width: int | None, *, plain: bool = False
) -> list[Text]:
    """Return the lines for `found`, each with mark, subject and text.

    With a `width` in columns, long texts wrap in their column. Words, such as
    addresses, are never broken. With `plain`, the marks are ASCII.
    """
    subjects = max((cell_len(each.subject) for each in found), default=0)
    indent = " " * (1 + GAP + subjects + GAP)
    lines: list[Text] = []
    for each in found:
        mark, style = MARKS[each.grade]
        mark = _PLAIN[each.grade] if plain else mark
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


def spending(
    rows: Sequence[Spending],
    by: UsageKey | Sequence[UsageKey],
    *,
    labels: Labels | None = None,
    plain: bool = False,
    bars: bool = True,
) -> Table:
    """Return a table of usage, grouped by one or more keys.

    `labels` replace ids, and `plain` uses ASCII only. Without `bars`, it fits into
    narrow terminals, where figures are not cut.
    """
    keys = [by] if isinstance(by, UsageKey) else list(by)
    found = usage.group(rows, keys, labels)
    table = Table(box=None, pad_edge=False, show_footer=len(found) > 1)
    sums = _cells(usage.total(found))
    heads = ["", *(each.keys[0] for each in found)]
    for nth, key in enumerate(keys):
        # Days are not broken.
        widest = max(map(len, heads)) if nth == 0 and key is UsageKey.DAY else None
        title, foot = key.value.capitalize(), "" if nth else messages.TOTAL
        table.add_column(title, foot, overflow="fold", min_width=widest)
    cells = [sums, *map(_cells, found)]
    for nth, column in enumerate(
        (
            *(
                messages.ANSWERS,
                messages.INPUT,
                messages.CACHE_WRITE,
                messages.CACHE_READ,
                messages.OUTPUT,
                messages.SEARCHES,
            ),
            *(messages.USD, messages.SAVED),
        )
    ):
        words = [*column.split(), *(word for row in cells for word in row[nth].split())]
        widest = max(map(len, words))
        table.add_column(column, sums[nth], justify="right", min_width=widest)
    if bars:
        table.add_column("")
    most = max((each.cost for each in found), default=0.0)
    for each in found:
        bar = formatting.blocks(
            each.cost / most if most else 0.0, BAR_CHARS, plain=plain
        )
        shown = [
            Text(label or key)
            for key, label in zip(each.keys, each.labels, strict=True)
        ]
        table.add_row(*shown, *_cells(each), *([Text(bar, "cyan")] if bars else ()))
    return table


def spending_rows(
    rows: Sequence[Spending],
    by: UsageKey | Sequence[UsageKey],
    labels: Labels | None = None,
) -> list[dict[str, Any]]:
    """Return usage as plain values, with names in addition to ids if `labels`."""
    keys = [by] if isinstance(by, UsageKey) else list(by)
    return [
        {
            **_row_keys(keys, each, names=labels is not None),
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
        for each in usage.group(rows, keys, labels)
    ]


def total(cap: Budget, balance: Balance) -> str:
    """Describe the state of a budget over all workspaces."""
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
    """Return a table of changes, with `labels` in place of ids."""
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
    """Return changes as plain values, with names in addition to ids if `labels`."""
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
    """Return a table of refusals by hour, with `labels` in place of ids."""
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
    """Return refusals as plain values, with names in addition to ids if `labels`."""
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
    """Return a table of feedback with `labels` in place of ids.

    The table has no questions and answers.
    """
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
    """Return feedback as plain values, with names in addition to ids if `labels`.

    Questions and answers are included only if `texts`.
    """
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


# An entry of each report, whose keys are the columns of the report without entries.
_PLACE = Scope("", "")
_SPENDING = Spending("2026-11-26", _PLACE, "", "", "", 0)
_ENTRY = AuditEntry(0, 0.0, _PLACE, "", "", "")
_REFUSAL = Refusal(_PLACE, "", "", 0, 0.0)
_OPINION = Opinion(ThreadKey("", "", "", ""), "", 0.0, True, "", None, "", "")


def columns_of_spending(by: Sequence[UsageKey], labels: Labels | None) -> list[str]:
    """Return the keys of the rows of `spending_rows`."""
    return list(spending_rows([_SPENDING], by, labels)[0])


def columns_of_audit(labels: Labels | None) -> list[str]:
    """Return the keys of the rows of `audit_rows`."""
    return list(audit_rows([_ENTRY], labels)[0])


def columns_of_refusals(labels: Labels | None) -> list[str]:
    """Return the keys of the rows of `refusal_rows`."""
    return list(refusal_rows([_REFUSAL], labels)[0])


def columns_of_opinions(labels: Labels | None, *, texts: bool) -> list[str]:
    """Return the keys of the rows of `opinion_rows`."""
    return list(opinion_rows([_OPINION], labels, texts=texts)[0])


def _row_keys(
    keys: Sequence[UsageKey], row: UsageRow, *, names: bool
) -> dict[str, str]:
    """Return the keys of a row and, if `names`, the names of the ids among them."""
    found: dict[str, str] = {}
    for key, value, name in zip(keys, row.keys, row.names, strict=True):
        found[key.value] = value
        if names and key not in (UsageKey.DAY, UsageKey.MODEL):
            found[f"{key.value}_name"] = name
    return found


def _place_name(labels: Labels | None, of: str, place: Scope) -> dict[str, str]:
    return {} if labels is None else {f"{of}_name": labels.place_name(place)}


def _who_name(labels: Labels | None, place: Scope, who: str) -> dict[str, str]:
    return {} if labels is None else {"who_name": labels.person_name(place, who)}


def _cells(row: UsageRow) -> list[str]:
    used = row.usage
    return [
        f"{row.answers:,}",
        f"{used.input:,}",
        f"{used.cache_write_5m + used.cache_write_1h:,}",
        f"{used.cache_read:,}",
        f"{used.output:,}",
        f"{used.searches:,}",
        _cost(row),
        f"{row.saved:.4f}",
    ]


def _cost(row: UsageRow) -> str:
    cost = f"{row.cost:.4f}"
    if row.bounded:
        cost = phrases.at_most(amount=cost)
    if not row.unpriced:
        return cost
    if row.unpriced == row.calls:
        return messages.UNKNOWN
    return messages.and_unknown(cost=cost, count=row.unpriced)


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
