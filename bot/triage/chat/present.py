"""Formats cases and tables of cases for the chat. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from bot.domain.triage_case import TriageCase
from bot.messages import labels, phrases, plurals
from bot.messages import triage as messages
from bot.schemes.field import Field
from bot.schemes.scheme import Scheme
from bot.text import csv_cells, times
from bot.ui import formatting
from bot.ui.elements import Button, Choice, Command, File, Menu, Response

#: The field that gives the urgency.
PRIORITY = "priority"

#: The emoji of the four highest priorities; the last one also marks all lower ones.
SIGNS = ("🔴", "🟠", "🟡", "⚪")

# The most rows of a table in a message, and the most characters of each text.
MOST_ROWS = 25
TEXT_CHARS, NAME_CHARS = 48, 12
# The most characters of messages in the file of a table, at most 8 MB: Discord accepts
# 10 MiB (platform facts B5). Joining and encoding them takes a few milliseconds.
FILE_CHARS = 2_000_000
# A menu holds 25 choices (platform facts B8).
MOST_CHOICES, LABEL_CHARS = 25, 75


def urgency(scheme: Scheme) -> Field | None:
    """Return the field that gives the urgency, if the scheme has one."""
    return next((f for f in scheme.choices if f.name == PRIORITY), None)


def rank(case: TriageCase, scheme: Scheme) -> int | None:
    """Return the urgency of a case, 0 for the highest; None if it is unknown."""
    field = urgency(scheme)
    value = case.current.get(PRIORITY)
    if field is None or value not in field.values:
        return None
    return list(field.values).index(str(value))


def sign(case: TriageCase, scheme: Scheme) -> str:
    """Return the emoji of a case's priority; "" for none."""
    place = rank(case, scheme)
    return "" if place is None else SIGNS[min(place, len(SIGNS) - 1)]


def line(case: TriageCase, scheme: Scheme) -> str:
    """Describe the values of a case in one or two lines."""
    if case.values is None:
        return messages.not_sorted(reason=case.reason)
    values = case.current
    few = [f"**{_inline(values[f.name])}**" for f in scheme.choices if f.name in values]
    rest = [
        _inline(values[f.name])
        for f in scheme.fields
        if f.name in values and f not in scheme.choices
    ]
    first = " · ".join(filter(None, (sign(case, scheme), *few)))
    return "\n".join(filter(None, (first, *rest)))


def response(case: TriageCase, scheme: Scheme, *, replaces: bool = False) -> Response:
    """Return a public response for a case, with menus to correct it."""
    text = line(case, scheme)
    if case.corrected:
        text += (
            f"\n{messages.corrected_by(person=formatting.person(case.corrected_by))}"
        )
    if case.agreed_by:
        text += f"\n{messages.example_by(person=formatting.person(case.agreed_by))}"
    buttons: tuple[Button, ...] = ()
    if case.corrected and not case.agreed_by:
        agree = Command("triage agree", {"of": str(case.id)})
        buttons = (Button(labels.LEARN, agree),)
    menus = _menus(case, scheme) if case.values is not None else ()
    return Response(text, public=True, menus=menus, buttons=buttons, replaces=replaces)


def _menus(case: TriageCase, scheme: Scheme) -> tuple[Menu, ...]:
    return tuple(
        Menu(
            Command("triage correct", {"of": str(case.id)}),
            field.name,
            _short(labels.another(field=field.name), LABEL_CHARS),
            tuple(
                Choice(value, _short(value, LABEL_CHARS), _short(about, LABEL_CHARS))
                for value, about in list(field.values.items())[:MOST_CHOICES]
                if value != case.current.get(field.name)
            ),
        )
        for field in scheme.choices
    )


def table(
    cases: Sequence[TriageCase], scheme: Scheme, names: Mapping[str, str], cost: str
) -> Response:
    """Return a response for many cases: counts, the most urgent cases, and a file of
    all."""
    good = sum(case.values is not None for case in cases)
    total = plurals.MESSAGES(len(cases))
    if good < len(cases):
        total = messages.some_of(good=good, messages=total)
    parts = [messages.sorted_messages(messages=total, amount=cost)]
    for field in scheme.choices:
        counts = Counter(
            str(c.current.get(field.name, labels.NOT_SORTED)) for c in cases
        )
        found = [
            f"{v} {counts[v]:,}"
            for v in (*field.values, labels.NOT_SORTED)
            if counts[v]
        ]
        parts.append(
            messages.counts(field=field.name.capitalize(), counts=", ".join(found))
        )
    last = len(SIGNS) + len(cases)
    urgent = sorted(
        cases, key=lambda case: r if (r := rank(case, scheme)) is not None else last
    )
    shown = urgent[:MOST_ROWS]
    parts += ["```", *_rows(shown, scheme, names), "```"]
    if len(cases) > len(shown):
        parts.append(messages.most_urgent(count=len(shown)))
    return Response(
        "\n".join(parts),
        public=True,
        file=File("triage.csv", as_csv(cases, scheme, names)),
    )


def _rows(
    cases: Sequence[TriageCase], scheme: Scheme, names: Mapping[str, str]
) -> list[str]:
    few = [f.name for f in scheme.choices]
    rest = [f.name for f in scheme.fields if f.name not in few]
    head = [messages.WHEN, *few, messages.WHO, *rest]
    lines = [head]
    for case in cases:
        said = case.current
        cells = [_short(said.get(name, "–")) for name in few]
        texts = [_short(said.get(name, case.reason)) for name in rest]
        when = times.without_year(case.at)
        lines.append(
            [
                when,
                *cells,
                _short(names.get(case.author, case.author), NAME_CHARS),
                *texts,
            ]
        )
    widths = [max(len(row[n]) for row in lines) for n in range(len(head))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        .rstrip()
        .replace("```", "'''")
        for row in lines
    ]


def as_csv(
    cases: Sequence[TriageCase], scheme: Scheme, names: Mapping[str, str]
) -> str:
    """Return cases as CSV for spreadsheets, in which no cell is a formula.

    Messages are shortened if together they would exceed `FILE_CHARS`.
    """
    most = FILE_CHARS // max(1, len(cases))
    lines = [csv_cells.record(["at", "who", "message", *scheme.names, "not_sorted"])]
    for case in cases:
        values = [_plain(case.current.get(name, "")) for name in scheme.names]
        at = datetime.fromtimestamp(case.at, UTC).isoformat(timespec="seconds")
        who = names.get(case.author, case.author)
        text = case.text if len(case.text) <= most else f"{case.text[:most]}…"
        lines.append(csv_cells.record([at, who, text, *values, case.reason]))
    return "".join(lines)


def _plain(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or phrases.NONE
    if isinstance(value, bool):
        return phrases.YES if value else phrases.NO
    return str(value)


def _inline(value: object) -> str:
    """Return `value` on one line, without unclosed backquotes, which would make the
    rest of the message code."""
    text = " ".join(_plain(value).split()).replace("```", "'''")
    return text.replace("`", "'") if text.count("`") % 2 else text


def _short(value: object, most: int = TEXT_CHARS) -> str:
    text = " ".join(_plain(value).split())
    return text if len(text) <= most else f"{text[: most - 1]}…"
