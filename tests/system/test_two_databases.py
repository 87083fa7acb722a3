"""The same conversation on SQLite and on PostgreSQL, with the whole program."""

import re
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bot.domain.scope import EVERYWHERE, Scope, ThreadKey
from bot.domain.server_address import ServerAddress
from bot.text.words import terms
from storage.opening import open_store
from storage.reading import Where
from tests.emulators.claude.emulator import ClaudeEmulator
from tests.emulators.slack.emulator import SlackEmulator
from tests.support import postgres
from tests.support.process import Nursery, Process, claude_env, slack_env

process = pytest.mark.asyncio(loop_scope="module")

PATIENCE = 60.0

# What differs from run to run: times, and ids made of them or at random.
TIME = re.compile(r"\d{10}\.\d{6}|\d{4}-\d\d-\d\d|\w+, \d+ \w+ \d{4}|\b\d\d:\d\d\b")


async def talk(folder: Path, database: Where, nursery: Nursery) -> dict[str, Any]:
    """Return what is stored of a conversation over two starts, with edits and
    settings."""
    async with SlackEmulator() as slack, ClaudeEmulator() as claude:
        url = database.url if isinstance(database, ServerAddress) else str(database)
        env = {**slack_env(slack), **claude_env(claude), "THREADKEEP_DB": url}
        bot = Process(folder, env)
        alice, bob = slack.add_user("Alice", admin=True), slack.add_user("Bob")
        general = slack.add_channel("general")
        claude.script("Paris.", "Rome, for long.", "Madrid.")

        async def answered(thread: str, *texts: str) -> None:
            def reads() -> bool:
                seen = [each.text for each in slack.thread(general, thread)]
                return all(any(text in each for each in seen) for text in texts)

            await slack.until(lambda: reads() and slack.settled, PATIENCE)

        await bot.start(nursery=nursery)
        asked = f"{slack.mention} what is the capital of France?"
        thread = slack.say(alice, general, asked)
        await answered(thread, "Paris.")
        # Part of the audit, and of what applies to the next thread.
        done = slack.command(alice, general, "/claude", "set effort low")
        await slack.until(lambda: done.acked and slack.settled, PATIENCE)
        more = slack.say(bob, general, "and of Italy?", thread_ts=thread)
        await answered(thread, "Rome, for long.")
        bot.kill(signal.SIGTERM)
        assert await bot.ended() == 0
        await bot.start(nursery=nursery)
        await slack.until(lambda: slack.connections, PATIENCE)
        slack.edit(general, more, "and of Italy, and before?")
        await slack.until(lambda: slack.settled, PATIENCE)
        slack.say(alice, general, "and of Spain?", thread_ts=thread)
        await answered(thread, "Madrid.")
        bot.kill(signal.SIGTERM)
        assert await bot.ended() == 0
        requests = [
            TIME.sub("TIME", str(each.body["messages"]))
            for each in claude.requests
            if each.path == "/v1/messages"
        ]
        key = ThreadKey("slack", slack.team, general, thread)
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


@process
async def test_a_conversation_is_the_same_on_both(
    tmp_path: Path, nursery: Nursery
) -> None:
    for name in ("sqlite", "postgres"):
        (tmp_path / name).mkdir()
    file = tmp_path / "sqlite" / "threadkeep.db"
    with postgres.emptied(postgres.migrated) as address:
        on_file = await talk(tmp_path / "sqlite", file, nursery)
        server = ServerAddress(postgres.uri(address))
        on_server = await talk(tmp_path / "postgres", server, nursery)
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
