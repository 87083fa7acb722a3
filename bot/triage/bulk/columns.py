"""Chooses the columns with the ticket and its id, by their values and then their names.

Rule: a column of numbers, ids, dates, addresses or single labels is never chosen as the
text of a ticket because of its name. If two columns fit, none is chosen, and the
operator is asked.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from bot.errors import ConfigError
from bot.messages import ticket_files as messages
from bot.text.characters import is_blank
from bot.triage.bulk import nested

#: Names of the column with the ticket, in order of preference.
TEXTS = (
    *("ticket", "text", "body", "message", "description", "content", "question"),
    *("comment", "comments", "issue", "details", "request", "feedback", "complaint"),
    *("nachricht", "beschreibung", "inhalt", "mensaje", "descripcion", "texto"),
    *("texte", "contenu", "texto", "mensagem", "本文", "内容", "내용", "текст"),
)
#: Names of the column with the title of a ticket, which is read before its text.
TITLES = (
    *("subject", "title", "ticket_subject", "ticket_name", "summary"),
    *("short_description", "betreff", "titel", "asunto"),
    *("objet", "titre", "título", "titulo", "assunto", "oggetto", "titolo"),
    *("件名", "タイトル", "主题", "标题", "主旨", "標題", "제목", "тема"),
)
#: Names of the column that identifies a row.
IDS = ("id", "ticket_id", "ticket id", "key", "number", "nr")

#: The size of the sample, in rows.
SAMPLE = 500
#: The most column names that an error lists.
_LISTED = 12
_CHARS = 2_000

# Columns with these names, of people, things and labels, are the ticket's text only if
# `--column` says so.
_LABELS = frozenset(
    (
        *("name", "user", "customer", "author", "agent", "assignee", "requester"),
        *(
            "reporter",
            "owner",
            "company",
            "account",
            "organization",
            "organisation",
            "group",
        ),
        *("team", "city", "country", "region", "status", "state", "priority"),
        *("severity", "type", "category", "tag", "tags", "label", "labels"),
        *("language", "lang", "locale", "product", "plan", "channel", "source"),
        *("email", "mail", "phone", "url", "link", "address", "date"),
        *("time", "created", "updated", "closed", "timestamp", "id", "key"),
        *("number", "nr"),
    )
)

_NUMBER = re.compile(r"[-+(]?[$€£¥]?\s?\d[\d.,'\s_]{0,40}[%$€£¥)]?")
_CLOCK = (
    r"\d{1,2}:\d\d(?::\d\d)?(?:[.,]\d{1,9})?"
    r"(?: ?(?:Z|UTC|GMT|[AaPp][Mm]|[-+]\d\d:?\d\d))?"
)
_DATE = re.compile(
    rf"\d{{1,4}}[-/.]\d{{1,2}}[-/.]\d{{1,4}}(?:[T ,]{{1,2}}{_CLOCK})?|{_CLOCK}"
    rf"|(?:[A-Z][a-z]{{2,8}},? )?\d{{1,2}} [A-Z][a-z]{{2,8}}\.? \d{{4}}"
    rf"(?:,? {_CLOCK})?"
    rf"|(?:[A-Z][a-z]{{2,8}},? )?[A-Z][a-z]{{2,8}}\.? \d{{1,2}},? \d{{4}}"
    rf"(?:,? {_CLOCK})?"
)
_PHONE = re.compile(
    r"(?:\+\d{1,3}[ ./(-]{1,3}|\(\+?\d{1,5}\)[ ./-]{0,3}|0\d{1,5}[ /-]{1,3}"
    r"|\d{3}[ .-](?=\d{3}[ .-]\d{4}))"
    r"[\d()][\d ()./-]{3,22}(?:\s?(?:x|ext\.?|#)\s?\d{1,6})?"
)
_STAMP = re.compile(r"\b(?:\d{1,2}:\d\d|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4})\b")
_MAIL = re.compile(r"<?[^\s@<>]{1,80}@[^\s@<>]{1,150}>?")
_PAGE = re.compile(r"(?:https?://|ftp://|mailto:|www\.)\S{1,2000}")
_ID = re.compile(r"[#(\[]?(?=[A-Za-z_.:/-]{0,60}\d)[\w.:/-]{1,60}[)\]]?")
_PATTERNS = {
    messages.DATES: _DATE,
    messages.PHONE_NUMBERS: _PHONE,
    messages.NUMBERS: _NUMBER,
    messages.EMAIL_ADDRESSES: _MAIL,
    messages.WEB_ADDRESSES: _PAGE,
    messages.IDS: _ID,
}
_TOKEN = re.compile(r"[^\W_]+")
# Scripts without spaces between words.
_UNSPACED = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]"
)
_WORD = re.compile(r"[^\W\d_]{2,}|[^\W\d_](?=\s|\Z)")


class Kind(Enum):
    """The kind of the values of a column."""

    EMPTY = "nothing"
    #: Values that match one of the patterns; `what` of the column says which.
    DATA = "data"
    #: Single words, or a few values that are repeated.
    WORDS = "words"
    TEXT = "text"


@dataclass(frozen=True)
class Column:
    """One column, as described by the sample."""

    name: str
    kind: Kind
    #: The kind of the values, for people.
    what: str
    #: One of the values.
    example: str


@dataclass(frozen=True)
class Choice:
    """The chosen columns, and the reason."""

    texts: tuple[str, ...]
    #: The reason, as a clause.
    why: str


class Unclear(ConfigError):
    """Several columns, or none, may hold the ticket."""

    def __init__(self, name: str, columns: Sequence[Column]) -> None:
        #: The columns that may hold the ticket; all columns if none seems to.
        likely = [each for each in columns if each.kind is Kind.TEXT]
        likely = likely or [each for each in columns if each.kind is Kind.WORDS]
        self.candidates = tuple(likely or columns)
        shown = ", ".join(
            messages.column_and_values(column=each.name, values=each.what)
            for each in self.candidates[:_LISTED]
        )
        more = len(columns) - min(len(self.candidates), _LISTED)
        rest = messages.or_more(count=more) if more else ""
        super().__init__(messages.which_column(file=name, columns=shown, more=rest))


def describe_columns(
    names: Sequence[str], rows: Sequence[Mapping[str, Any]]
) -> tuple[Column, ...]:
    """Return a description of each of the columns `names`, from the sample `rows`."""
    return tuple(
        _describe(name, [nested.value(row, name) for row in rows]) for name in names
    )


def _describe(name: str, values: Sequence[Any]) -> Column:
    texts = [
        value[:_CHARS].strip() if isinstance(value, str) else value
        for value in values
        if value is not None and not (isinstance(value, str) and is_blank(value))
    ]
    if not texts:
        return Column(name, Kind.EMPTY, messages.NOTHING, "")
    example = " ".join(str(max(texts, key=lambda each: len(str(each)))).split())
    kinds = Counter(_kind(each) for each in texts)
    what, count = kinds.most_common(1)[0]
    if what not in (messages.TEXT, messages.SINGLE_WORDS) and count >= len(texts) * 0.6:
        return Column(name, Kind.DATA, what, example)
    if kinds[messages.TEXT] < len(texts) * 0.4:
        return Column(name, Kind.WORDS, messages.SINGLE_WORDS, example)
    if len(texts) >= 10 and len(set(map(str, texts))) <= len(texts) * 0.2:
        return Column(name, Kind.WORDS, messages.A_FEW_VALUES, example)
    return Column(name, Kind.TEXT, messages.TEXT, example)


def _kind(value: Any) -> str:
    """Return the kind of `value`, for people."""
    if isinstance(value, bool):
        return messages.BOOLEANS
    if isinstance(value, int | float):
        return messages.NUMBERS
    if not isinstance(value, str):
        return messages.LISTS_AND_OBJECTS
    for what, pattern in _PATTERNS.items():
        if pattern.fullmatch(value):
            return what
    spaced = len(_WORD.findall(value)) if " " in value or "\n" in value else 0
    is_text = spaced + len(_UNSPACED.findall(value)) / 2 >= 2
    return messages.TEXT if is_text else messages.SINGLE_WORDS


def choose(
    name: str, columns: Sequence[Column], inner: Sequence[Column] = ()
) -> Choice:
    """Return the columns that hold the ticket: its text, and the title before it.

    `inner` describes the values inside objects, which are considered if no column may
    hold the ticket. Raises Unclear.
    """
    choice = _choose(columns)
    if choice is None:
        unclear = Unclear(name, (*columns, *inner))
        if any(_is_unlabelled(each) for each in columns):
            raise unclear
        columns, choice = inner, _choose_inner(inner)
        if choice is None:
            raise unclear
    title = _title(choice.texts[0], columns)
    return Choice((title, *choice.texts), messages.BY_NAMES) if title else choice


def _choose(columns: Sequence[Column]) -> Choice | None:
    by_name = {each.name.casefold(): each for each in reversed(columns)}
    called = [by_name[each] for each in TEXTS if each in by_name]
    prose = [each for each in columns if each.kind is Kind.TEXT]
    for each in called:
        if each.kind is Kind.TEXT:
            return _by_name_and_values(each)
    named = [each for each in prose if set(TEXTS) & _tokens(_last(each.name))]
    if len(named) == 1:
        return _by_name_and_values(named[0])
    unlabelled = [each for each in prose if _is_unlabelled(each)]
    words = [each for each in called if each.kind is Kind.WORDS]
    if words and not unlabelled:
        return Choice((words[0].name,), messages.by_name(values=words[0].what))
    if len(unlabelled) == 1 and not words:
        return Choice((unlabelled[0].name,), messages.ONLY_TEXT)
    if len(columns) == 1 and columns[0].kind is not Kind.DATA:
        return Choice((columns[0].name,), messages.ONLY_COLUMN)
    return None


def _is_unlabelled(column: Column) -> bool:
    return column.kind is Kind.TEXT and not _LABELS & _tokens(column.name)


def _choose_inner(inner: Sequence[Column]) -> Choice | None:
    prose = [each for each in inner if each.kind is Kind.TEXT]
    for text in TEXTS:
        called = [each for each in prose if _last(each.name) == text]
        if called:
            return _by_name_and_values(called[0]) if len(called) == 1 else None
    return Choice((prose[0].name,), messages.ONLY_TEXT) if len(prose) == 1 else None


def _last(name: str) -> str:
    """Return `name` without the objects around it, in lower case."""
    return name.casefold() if " " in name else name.rpartition(".")[2].casefold()


def _title(text: str, columns: Sequence[Column]) -> str:
    """Return the column with the title of the ticket in the column `text`, or ""."""
    inside, _, last = text.casefold().rpartition(".")
    place = [each.name for each in columns].index(text)
    for title in TITLES:
        called = f"{inside}.{title}" if inside else title
        for nth, each in enumerate(columns):
            known = each.name.casefold().replace(" ", "_")
            if known != called or each.name == text:
                continue
            # In exports of Jira, a summary is the title. Elsewhere it was written about
            # the ticket, for example by triage.
            is_title = title != "summary" or (
                last == "description" and (bool(inside) or nth < place)
            )
            if is_title and each.kind in (Kind.TEXT, Kind.WORDS):
                return each.name
    return ""


def _by_name_and_values(column: Column) -> Choice:
    return Choice((column.name,), messages.by_name_and_values(values=column.what))


def _tokens(name: str) -> set[str]:
    return {each.casefold() for each in _TOKEN.findall(name)}


def choose_columns(name: str, found: Sequence[str], wanted: Sequence[str]) -> Choice:
    """Return the columns that `--column` names. Each value is one name, or several
    separated by commas. Raises ConfigError."""
    texts: dict[str, None] = {}
    for each in wanted:
        whole = _find(found, each)
        parts = [whole] if whole else [part.strip() for part in each.split(",")]
        for part in parts:
            texts[column(name, found, part)] = None
    return Choice(tuple(texts), messages.AS_COLUMN_SAYS)


def choose_id(columns: Sequence[Column]) -> str:
    """Return the column that identifies a row, or ""."""
    by_name = {each.name.casefold(): each.name for each in columns}
    data = {each.name.casefold() for each in columns if each.kind is Kind.DATA}
    # Help desks use "ticket" or "issue" for the number of a ticket.
    names = (*IDS, *(each for each in ("ticket", "issue") if each in data))
    return next((by_name[each] for each in names if each in by_name), "")


def column(name: str, found: Sequence[str], wanted: str) -> str:
    """Return the column named `wanted`. Raises ConfigError."""
    if match := _find(found, wanted):
        return match
    shown = ", ".join(f"`{column}`" for column in found[:_LISTED])
    more = len(found) - _LISTED
    rest = messages.and_more(count=more) if more > 0 else ""
    raise ConfigError(
        messages.no_column(file=name, column=wanted, columns=shown, more=rest)
    )


def _find(found: Sequence[str], wanted: str) -> str:
    if wanted in found:
        return wanted
    folded = wanted.casefold()
    return next((each for each in found if each.casefold() == folded), "")


def is_name(cell: str) -> bool:
    """Return True if `cell`, alone in its line, is the name of a column: one word, or
    up to four words with a usual name among them."""
    words = [each.casefold() for each in _TOKEN.findall(cell)]
    if len(words) == 1 or cell.strip().casefold() in IDS:
        return len(cell) <= 40 and cell.strip().isalpha()
    return 1 < len(words) <= 4 and bool({*TEXTS, *IDS} & {*words})


def usual_names(cells: Sequence[str]) -> int:
    """Return how many of `cells` contain a word that is usual in column names."""
    known = _LABELS.union(TEXTS, IDS)
    return sum(bool(known & _tokens(cell)) for cell in cells)


def holds_time(cell: str) -> bool:
    """Return True if `cell` contains a date or a time among other text, as a line of a
    log does."""
    return _STAMP.search(cell) is not None and not is_data(cell)


def is_data(cell: str) -> bool:
    """Return True if `cell` is not a column name but a number, a date or an address."""
    text = cell.strip()
    return any(
        pattern.fullmatch(text)
        for what, pattern in _PATTERNS.items()
        if what != messages.IDS
    )
