"""The same conversation on SQLite and on PostgreSQL."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.domain.scope import EVERYWHERE, Scope, ThreadKey
from bot.domain.server_address import ServerAddress
from bot.text.words import terms
from storage.opening import open_store
from storage.reading import Where
from tests.emulators.claude.emulator import ClaudeEmulator
from tests.emulators.slack.emulator import SlackEmulator
from tests.support import postgres
from tests.support.fault_harness import SlackStage

# What differs from run to run: times, and ids made of them or at random.
TIME = re.compile(r"\d{10}\.\d{6}|\d{4}-\d\d-\d\d|\w+, \d+ \w+ \d{4}|\b\d\d:\d\d\b")


async def talk(database: Where) -> dict[str, Any]:
    """Return what is stored of a conversation over two starts, with edits and
    settings."""
    async with SlackEmulator() as slack, ClaudeEmulator() as claude:
        stage = SlackStage(slack, claude, database)
        olga = slack.add_user("Olga", admin=True)
        claude.script("Paris.", "Rome, for long.", "Madrid.")
        async with stage.running():
            thread = await stage.ask("what is the capital of France?")
            await stage.reads(thread, "Paris.")
            # Part of the audit, and of what applies to the next thread.
            done = slack.command(olga, stage.general, "/claude", "set effort low")
            await stage.until(lambda: done.acked and slack.settled)
            more = slack.say(
                stage.bob, stage.general, "and of Italy?", thread_ts=thread
            )
            await stage.reads(thread, "Paris.", "Rome, for long.")
            await stage.quiet()
        async with stage.running():
            slack.edit(stage.general, more, "and of Italy, and before?")
            await stage.until(lambda: slack.settled)
            stage.say("and of Spain?", thread)
            await stage.reads(thread, "Paris.", "Rome, for long.", "Madrid.")
            await stage.quiet()
        requests = [
            TIME.sub("TIME", str(each.body["messages"])) for each in claude.questions
        ]
        key = ThreadKey("slack", slack.team, stage.general, thread)
        return {"requests": requests, **await stored(database, key)}


async def stored(database: Where, key: ThreadKey) -> dict[str, Any]:
    async with open_store(database) as store:
        settings = await store.list_settings(EVERYWHERE)
        entries = await store.audit(EVERYWHERE, 0.0, 1_000)
        spending = await store.spending(0.0, Scope(key.platform, key.workspace))
        kept = (await store.stored_settings(Scope.of(key))).kept
        place = Scope(key.platform, key.workspace, key.channel)
        hits = (await store.search([place], terms("spain"), 9)).found
        return {
            "transcript": await store.transcript(key),
            "conversation": await store.conversation(key),
            "open": await store.open_threads(),
            "usage": [
                (each.kind, each.model, each.turns, each.usage, each.cost, each.person)
                for each in spending
            ],
            "settings": [(each.name, each.value, each.who) for each in settings],
            "kept": kept,
            "found": [hit.text for hit in hits],
            "audit": [(each.action, each.name, each.after) for each in entries],
        }


async def test_a_conversation_is_the_same_on_both(tmp_path: Path) -> None:
    on_file = await talk(tmp_path / "threadkeep.db")
    with postgres.emptied(postgres.woken) as address:
        on_server = await talk(ServerAddress(postgres.uri(address)))
    assert len(on_file["transcript"]) == 6
    assert on_file["open"] == []
    assert on_file["settings"] != []
    assert on_file["usage"] != []
    assert on_file["found"] != []
    for what in on_file:
        assert plain(on_server[what]) == plain(on_file[what]), what


def plain(value: Any) -> Any:
    """Return `value` without the times in it."""
    if isinstance(value, Mapping):
        return {name: plain(each) for name, each in value.items()}
    return TIME.sub("TIME", repr(value))
