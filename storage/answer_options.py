"""Encodes the answer options of a message as JSON for a column."""

from dataclasses import asdict
from json import dumps

from bot.domain.answer_options import NO_OPTIONS, AnswerOptions
from storage.broken import log_broken, parse
from storage.connection import Row


def encode(options: AnswerOptions) -> str:
    """Return `options` as JSON; "" for none."""
    return dumps(asdict(options)) if options else ""


def decode(row: Row) -> AnswerOptions:
    """Return the options of the message in `row`, without values that cannot be
    read."""
    if not row["options"]:
        return NO_OPTIONS
    found = parse(row["options"], dict)
    if found is None:
        log_broken("messages", row["id"])
        return NO_OPTIONS
    most, stops = found.get("max_tokens"), found.get("stop_sequences")
    return AnswerOptions(
        model=_text(found.get("model")),
        system=_text(found.get("system")),
        max_tokens=most if type(most) is int and most > 0 else None,
        stop_sequences=tuple(filter(None, map(_text, stops)))
        if isinstance(stops, list)
        else (),
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
