"""Reads rows from JSON: JSON Lines, a list of objects, or an object with one such list.

Rule 1: a line that cannot be read becomes a row with the problem; other lines are read.
Rule 2: JSON values that later stages cannot store become text: NaN, infinite numbers,
integers of more than 64 bits, lone surrogates.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from bot.errors import ConfigError
from bot.messages import ticket_files as messages
from bot.runtime.encodings import MOST_LINE, Places
from bot.text.characters import replace_invalid_json

# Includes the record separator, which begins each text of a sequence (RFC 7464).
_BLANK = " \t\r\n\ufeff\x1e"


@dataclass(frozen=True)
class JsonRow:
    """One row: its values, or the reason why it cannot be read."""

    #: The line in which the row begins, from 1.
    line: int
    values: dict[str, Any]
    problem: str = ""
    #: The text of an unreadable row.
    raw: str = ""


@dataclass
class Repeated:
    """Records keys that appear twice in one object; the last value counts."""

    places: Places = field(default_factory=Places)
    key: str = ""
    _found: str = ""

    def pairs(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        """Build an object from `pairs` and note a repeated key (the decoder's hook)."""
        made = dict(pairs)
        if len(made) < len(pairs):
            names = [name for name, _ in pairs]
            self._found = next(n for n in names if names.count(n) > 1)
        return made

    def note(self, line: int) -> None:
        """Record the line of a repeated key in the object that was read last."""
        if self._found:
            self.key = self.key or self._found
            self.places.add(line)
            self._found = ""


def decoder(repeated: Repeated) -> json.JSONDecoder:
    """Return a decoder whose values can all be stored."""
    return json.JSONDecoder(
        object_pairs_hook=repeated.pairs,
        parse_constant=str,
        parse_float=_float,
        parse_int=_int,
    )


def _float(text: str) -> float | str:
    value = float(text)
    return value if abs(value) != float("inf") else text


def _int(text: str) -> int | str:
    # SQLite stores 64-bit integers exactly. The length is checked first, since the time
    # of `int` grows with it.
    if len(text) > 20:
        return text
    value = int(text)
    return value if -(2**63) <= value < 2**63 else text


def is_json(head: str) -> bool:
    """Return True if a text that begins with `head` is JSON with objects or lists."""
    text = head.lstrip(_BLANK)
    inner = text[1:].lstrip(_BLANK)[:1]
    # A configuration section and a timestamp in a log also begin with a bracket.
    return text.startswith("{") or (text.startswith("[") and inner in '{["]')


def is_lines(lines: list[str]) -> bool:
    """Return True if `lines`, the first non-blank lines, are JSON Lines: the first line
    is an object, or it is a broken one and another line is an object."""
    read = [_object(line) for line in lines]
    first = lines[0].lstrip(_BLANK)
    if read[0] is not None:
        return True
    return first.startswith("{") and first.rstrip().endswith("}") and any(read)


def _object(line: str) -> dict[str, Any] | None:
    try:
        found = json.loads(line.strip(_BLANK).removesuffix(","))
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def rows_of_lines(lines: Iterator[str], repeated: Repeated) -> Iterator[JsonRow]:
    """Yield a row for each non-blank line of `lines`."""
    read = decoder(repeated)
    for number, line in enumerate(lines, start=1):
        text = line.strip(_BLANK).removesuffix(",")
        if text:
            yield _row(number, text, read.decode, repeated)


def _row(
    number: int, text: str, read: Callable[[str], Any], repeated: Repeated
) -> JsonRow:
    try:
        values = read(text)
        if not isinstance(values, dict):
            return JsonRow(number, {}, messages.NOT_AN_OBJECT, text)
        values = replace_invalid_json(values)
    except RecursionError:
        return JsonRow(number, {}, messages.NESTS_TOO_DEEP, text)
    except ValueError:
        return JsonRow(number, {}, messages.NOT_JSON, text)
    repeated.note(number)
    return JsonRow(number, values)


@dataclass(frozen=True)
class Document:
    """The location of the rows in a JSON document."""

    #: The key of the list in the object; "" if the document is the list, or a sequence
    #: of rows.
    key: str = ""
    #: Whether the rows are in a list.
    listed: bool = True


def rows_of_document(
    lines: Iterator[str], where: Document, repeated: Repeated
) -> Iterator[JsonRow]:
    """Yield a row for each object of a document. Raises ConfigError if the document is
    not JSON, since the following rows cannot be found then."""
    text = _Text(lines, decoder(repeated))
    if where.key:
        for key in text.names():
            if key == where.key:
                break
            text.skip()
    yield from _items(text, where, repeated)
    while where.listed and not where.key and text.peek():
        yield from _items(text, where, repeated)


def _items(text: "_Text", where: Document, repeated: Repeated) -> Iterator[JsonRow]:
    if where.listed:
        text.take("[")
    for _ in text.items("]" if where.listed else ""):
        line = text.line
        values = text.value()
        if isinstance(values, dict):
            try:
                repeated.note(line)
                yield JsonRow(line, replace_invalid_json(values))
            except RecursionError:
                yield JsonRow(line, {}, messages.NESTS_TOO_DEEP, "{")
        else:
            yield JsonRow(line, {}, messages.NOT_AN_OBJECT, str(values)[:1000])


def find_rows(lines: Iterator[str], name: str) -> Document:
    """Return the location of the rows in a document.

    Raises ConfigError if it is not JSON, or if it has no list of objects or several.
    """
    text = _Text(lines, decoder(Repeated()))
    if text.peek() == "[":
        text.take("[")
        if text.peek() == "]":
            raise ConfigError(messages.empty_json_list(file=name))
        if text.peek() != "{":
            raise ConfigError(messages.list_without_objects(file=name))
        text.value()
        return Document()
    found: list[str] = []
    for key in text.names():
        if text.peek() == "[" and text.begins_with_objects():
            found.append(key)
        text.skip()
    if text.peek() == "{":
        return Document(listed=False)
    if len(found) == 1:
        return Document(found[0])
    if found:
        named = ", ".join(f"`{key}`" for key in found[:5])
        raise ConfigError(messages.several_lists(file=name, lists=named))
    return Document(listed=False)


class _Text:
    """Takes one value after the other from JSON of any length."""

    def __init__(self, lines: Iterator[str], read: json.JSONDecoder) -> None:
        self._lines = lines
        self._read = read
        self._text = ""
        self._at = 0
        #: The line in which the remaining text begins.
        self.line = 1

    def peek(self) -> str:
        """Return the next character that is not blank, or "" at the end."""
        while True:
            while self._at < len(self._text):
                character = self._text[self._at]
                if character not in _BLANK:
                    return character
                self.line += character == "\n"
                self._at += 1
            if not self._more():
                return ""

    def take(self, character: str) -> None:
        """Skip `character`. Raises ConfigError if another one is next."""
        if self.peek() != character:
            raise self._wrong()
        self._at += 1

    def names(self) -> Iterator[str]:
        """Yield each key of an object; the caller must take the value."""
        self.take("{")
        for _ in self.items("}"):
            key = self.value()
            if not isinstance(key, str):
                raise self._wrong()
            self.take(":")
            yield key

    def items(self, end: str) -> Iterator[None]:
        """Yield before each item up to `end`; the caller must take the item."""
        while (character := self.peek()) != end:
            if not character or character in "]}":
                raise self._wrong()
            yield
            if self.peek() == ",":
                self._at += 1
            elif end and self.peek() != end:
                raise self._wrong()
        if end:
            self._at += 1

    def begins_with_objects(self) -> bool:
        """Return True if the next value, a list, begins with an object."""
        while True:
            rest = self._text[self._at :].lstrip("[" + _BLANK)
            if rest or not self._more():
                return rest.startswith("{")

    def value(self) -> Any:
        """Return the next value. Raises ConfigError if there is none."""
        self.peek()
        size = 1 << 12
        while True:
            try:
                value, end = self._read.raw_decode(self._text, self._at)
            except RecursionError:
                raise ConfigError(
                    messages.line_nests_too_deep(line=self.line)
                ) from None
            except ValueError:
                # The value may continue: read twice as much each time, so that the
                # total is linear.
                size *= 2
                if not self._more(size):
                    raise self._wrong() from None
                continue
            if end == len(self._text) and self._more():
                continue  # A number may continue.
            self.line += self._text.count("\n", self._at, end)
            self._at = end
            return value

    def skip(self) -> None:
        """Skip the next value; a long list is skipped item by item."""
        if self.peek() != "[":
            self.value()
            return
        self.take("[")
        for _ in self.items("]"):
            self.value()

    def _more(self, size: int = 1) -> bool:
        """Read at least `size` more characters; return False at the end."""
        found = []
        for line in self._lines:
            found.append(line)
            size -= len(line)
            if size <= 0:
                break
        self._text = "".join(chain((self._text[self._at :],), found))
        self._at = 0
        if len(self._text) > 2 * MOST_LINE:
            raise self._wrong()
        return bool(found)

    def _wrong(self) -> ConfigError:
        return ConfigError(messages.not_json_from(line=self.line))
