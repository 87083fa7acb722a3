"""The log as text and as JSON: the same facts, and neither has what it must not."""

import json
import logging
import sys
from types import TracebackType

import pytest
from aiohttp.http_exceptions import BadStatusLine, LineTooLong
from aiohttp.web import RequestPayloadError

from bot.runtime.logs import FORMAT, InvalidRequestFilter, JsonLines, Redacting
from tests.security.test_secrets import TOKENS, UNMARKED, core

FORMATTERS = {"text": Redacting(FORMAT), "json": JsonLines()}
Info = tuple[type[BaseException], BaseException, TracebackType | None]


def record(
    message: str, *args: object, name: str = "bot.x", info: Info | None = None
) -> logging.LogRecord:
    level, number = logging.WARNING, 1
    return logging.LogRecord(name, level, "x.py", number, message, args, info)


def failed(words: str) -> Info:
    try:
        raise ValueError(words)
    except ValueError as error:
        return ValueError, error, sys.exc_info()[2]


@pytest.mark.parametrize("form", FORMATTERS)
@pytest.mark.parametrize("kind", sorted(TOKENS.keys() - UNMARKED))
def test_neither_format_has_a_token_or_what_people_said(form: str, kind: str) -> None:
    formatter, token = FORMATTERS[form], TOKENS[kind]
    broken = failed(f"{token} SECRET PLAN")
    lines = [
        formatter.format(each)
        for each in (
            record(f"cannot connect to {token} (retrying)", name="aiohttp"),
            record("x.failed url=%s reason=%r", token, f"see {token}"),
            record("broken: %s", broken[1], info=broken),
            record("x text=%s", "SECRET PLAN", info=failed("SECRET PLAN")),
            # A text as short as a part of a token.
            *(
                record("broken: %s", token, info=failed(token[at : at + 1]))
                for at in range(5)
            ),
        )
    ]
    attached = record("x.done")
    attached.__dict__["body"] = f"SECRET PLAN {token}"
    lines.append(formatter.format(attached))
    assert core(kind) not in "".join(lines)
    # An error's text may quote people; an argument of ours never does.
    assert "SECRET PLAN" not in "".join(lines[2:])
    assert all("\n" not in line for line in lines)


def test_json_names_what_a_message_names() -> None:
    line = json.loads(
        FORMATTERS["json"].format(
            record(
                "turn.done thread=%s seconds=%.2f parts=%d at 100%% by=%r message=%s",
                *("slack:T1:C5:1", 1.23456789, 3, "it's", "m1"),
            )
        )
    )
    assert line.pop("time").endswith("+00:00")
    assert line == {
        **{"level": "WARNING", "logger": "bot.x", "event": "turn.done"},
        "message": (
            "turn.done thread=slack:T1:C5:1 seconds=1.23 parts=3 at 100% "
            """by="it's" message=m1"""
        ),
        **{"thread": "slack:T1:C5:1", "seconds": 1.234568, "parts": 3},
        **{"by": "it's", "message_id": "m1"},
    }


def test_json_is_json_whatever_a_library_says() -> None:
    for each in (
        record("a %(b)s", {"b": "c"}),
        record("plain"),
        record("x seconds=%f", float("nan")),
        record("x a=%s", "\x1b[31m\u2028\ud800\n"),
    ):
        line = FORMATTERS["json"].format(each)
        assert "event" not in json.loads(line)
        assert line.isprintable()


def test_json_says_where_an_error_came_from() -> None:
    line = json.loads(FORMATTERS["json"].format(record("no", info=failed("words"))))
    assert line["where"].startswith("ValueError(test_logs.py:")
    assert "words" not in str(line)


def test_what_is_no_request_is_a_warning_once_an_hour() -> None:
    strangers = InvalidRequestFilter()

    def level(error: Exception, at: float) -> str | None:
        found = record("Error", name="aiohttp.server", info=(type(error), error, None))
        found.levelno, found.levelname = logging.ERROR, "ERROR"
        found.created = at
        return found.levelname if strangers.filter(found) else None

    garbled, long, lost = (
        BadStatusLine("x"),
        LineTooLong(b"x", 1),
        RequestPayloadError(),
    )
    for each in (garbled, long, lost):
        assert level(each, 0.0) == "WARNING"
        assert level(each, 3599.0) is None
    assert level(garbled, 3600.0) == "WARNING"
    assert [level(KeyError("ours"), at) for at in (0.0, 1.0)] == ["ERROR", "ERROR"]
