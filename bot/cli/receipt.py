"""`threadkeep receipt`."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from bot.cli.environment import run
from bot.commands import receipt as receipts
from bot.config import Config, read_environment
from bot.context import cache_misses
from bot.domain.receipt import (
    AnswerSummary,
    MessageRef,
    ReadFile,
    ReadMessages,
    Receipt,
    ReceiptTexts,
)
from bot.domain.scope import Scope, ThreadKey
from bot.errors import ConfigError
from bot.messages import cli, command_help
from bot.messages import receipts as messages
from bot.reports.labels import Labels
from bot.runtime import terminal, terminal_markdown
from bot.text import references
from bot.text.references import Reference, ReferenceKind
from bot.ui import formatting
from storage.beside import read_answers, read_names, read_receipt

# The most turns of a thread that are listed.
MOST_TURNS = 100


@click.command(help=command_help.RECEIPT)
@click.argument("turn")
@click.option("--json", "as_json", is_flag=True, help=cli.JSON_HELP)
@click.option("--with-text", is_flag=True, help=cli.WITH_TEXT_HELP)
@click.option("--ids", is_flag=True, help=cli.IDS_HELP)
def receipt(turn: str, as_json: bool, with_text: bool, ids: bool) -> None:
    sys.exit(run(print_receipt(read_environment(), turn, as_json, with_text, ids)))


async def print_receipt(
    env: Mapping[str, str], turn: str, as_json: bool, with_text: bool, ids: bool
) -> int:
    """Print a receipt, or the turns of a thread; return the exit status.

    Raises ConfigError if there is no such turn or no database.
    """
    database = Config.from_env(env).database
    if turn.count(":") >= 3:
        thread = ThreadKey(*turn.split(":", 3))
        found = await read_answers(database, thread, MOST_TURNS)
        _print_turns(found, turn, as_json=as_json)
        return 0
    known = await read_receipt(database, turn)
    if known is None:
        raise ConfigError(messages.NO_TURN)
    found_receipt, texts = known
    said = texts if with_text else None
    if as_json:
        terminal.write(terminal.as_json(values(found_receipt, said), indent=2))
        return 0
    labels = Labels() if ids else Labels(await read_names(database))
    _print(found_receipt, said, labels)
    return 0


def values(receipt: Receipt, texts: ReceiptTexts | None) -> dict[str, Any]:
    """Return `receipt` as plain values, with `texts` unless that is None."""
    version = receipt.prompt
    return {
        "turn": receipt.turn,
        "thread": str(receipt.thread),
        "state": receipt.state.value,
        "ended": receipt.ended.value if receipt.ended else None,
        "stop_reason": receipt.stop_reason,
        "reason": receipt.reason,
        "request": receipt.request_id,
        "attempts": receipt.attempts,
        "model": receipt.model,
        "effort": receipt.effort,
        "prompt": version
        and {
            "id": version.id,
            "place": str(version.place),
            "number": version.number,
            "who": version.who,
            "at": _iso(version.at),
        },
        "settings": [
            {**asdict(each), "level": each.level.value} for each in receipt.applied
        ],
        "usage": asdict(receipt.usage),
        "tools": receipt.tools,
        "asked": [asdict(each) for each in receipt.asked],
        "left_out": list(receipt.left_out),
        "cache_miss": _miss(receipt),
        "usd": receipt.cost,
        "bounded": receipt.bounded,
        "reserved_usd": receipt.held,
        "times": {name: _iso(at) for name, at in asdict(receipt.times).items()},
        "read": _read(receipt.read),
        **(asdict(texts) if texts else {}),
    }


def _miss(receipt: Receipt) -> str | None:
    """Return why the prompt cache lacked the entries of the previous request.

    Return None if there is no reason to report.
    """
    before, now = receipt.before, receipt.request
    found = cache_misses.reason(before, now) if before and now else None
    return found.value if found else None


def _read(read: ReadMessages | None) -> dict[str, Any] | None:
    if read is None:
        return None
    refs = {"first": _ref(read.first), "last": _ref(read.last)}
    files = [_file(each) for each in read.files]
    questions = [_ref(each) for each in read.questions]
    return {**asdict(read), **refs, "questions": questions, "files": files}


def _file(file: ReadFile) -> dict[str, Any]:
    stored, found = file.stored, {"name": file.name, "size": file.size}
    if stored is None:
        return {**found, "read": False}
    return {
        **found,
        "read": file.is_read,
        "unread": stored.unread and stored.unread.value,
        "pages": stored.pages,
        "all_pages": stored.all_pages,
        "cut": stored.cut,
    }


def _ref(each: MessageRef | None) -> dict[str, Any] | None:
    return None if each is None else {**asdict(each), "at": _iso(each.at)}


def _iso(at: float | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat()


def _print(receipt: Receipt, texts: ReceiptTexts | None, labels: Labels) -> None:
    place = Scope.of(receipt.thread)

    def drawn(found: Reference) -> str:
        name = ""
        if found.kind is ReferenceKind.USER:
            name = labels.person(place, found.id)
        return name or references.plain(found)

    table = Table.grid(padding=(0, 2))
    ended = (receipt.ended or receipt.state).value
    for label, value in (
        (messages.TURN, receipt.turn),
        (messages.THREAD, labels.place(place) or str(place)),
        (messages.ENDED, ended),
        (messages.STOP_REASON, receipt.stop_reason),
        (messages.REASON, receipt.reason),
        (messages.REQUEST, receipt.request_id),
    ):
        if value:
            table.add_row(label, Text(value))
    out = terminal.console()
    out.print(table)
    page = receipts.page(receipt, {})
    out.print(terminal_markdown.markdown(references.render(page.whole, drawn)))
    if texts is not None:
        terminal.say(f"{messages.QUESTION_TEXT}\n{texts.question}\n")
        terminal.say(f"{messages.ANSWER_TEXT}\n{texts.answer}")


def _print_turns(found: Sequence[AnswerSummary], thread: str, *, as_json: bool) -> None:
    if as_json:
        rows = [
            {
                **asdict(each),
                "asked": _iso(each.asked),
                "state": each.state.value,
                "ended": each.ended and each.ended.value,
            }
            for each in found
        ]
        terminal.write(terminal.as_json(rows, indent=2))
        return
    if not found:
        terminal.say(messages.no_turns(thread=thread))
        return
    table = Table(box=None, pad_edge=False)
    for column in (messages.TURN, cli.WHEN, messages.ENDED, cli.MODEL, cli.USD):
        table.add_column(column, overflow="fold")
    for each in found:
        table.add_row(
            *(each.turn, formatting.timestamp(each.asked)),
            *((each.ended or each.state).value, each.model),
            "" if each.cost is None else f"{each.cost:.4f}",
        )
    terminal.console().print(table)
