"""The same conversation on SQLite and on PostgreSQL ends the same."""

from functools import partial
from pathlib import Path
from typing import Any, cast

from bot.domain.scope import EVERYWHERE, Scope, ThreadKey
from bot.domain.server_address import ServerAddress
from bot.domain.setting import Change
from bot.text.words import terms
from storage.opening import Where
from tests.emulators.claude.emulator import ClaudeEmulator
from tests.emulators.slack.emulator import SlackEmulator
from tests.support import postgres
from tests.support.fault_harness import SlackStage


def _has_replies(stage: SlackStage, thread: str, number: int) -> bool:
    return len(stage.texts(thread)) == number


async def conversation(database: Where) -> dict[str, Any]:
    """What is stored in the end, without ids and times."""
    async with ClaudeEmulator() as claude, SlackEmulator() as slack:
        stage = SlackStage(slack, claude, cast(Path, database))
        async with stage.running():
            store = stage.store
            thread = await stage.ask("and the capital?")
            for number, text in enumerate(("", "and of Spain?", "thank you \u2764"), 1):
                if text:
                    stage.say(f"{slack.mention} {text}", thread)
                # Received, and answered.
                await stage.until(partial(_has_replies, stage, thread, number))
                await stage.quiet()
            place = Scope("slack", slack.team, stage.general)
            for value in ("terse", "long"):
                await store.change_settings(
                    [Change(place, "style", value)], who="U9", now=5.0
                )
            key = ThreadKey("slack", slack.team, stage.general, thread)
            said = {
                who: name
                for who, name in (
                    (stage.alice, "Alice"),
                    (stage.bob, "Bob"),
                    ("", "bot"),
                )
            }
            return {
                "transcript": [
                    (said.get(who, who), text.replace(slack.mention, "@bot"))
                    for who, text in await store.transcript(key)
                ],
                "usage": [
                    (each.kind, each.model, each.turns, each.usage, each.cost)
                    for each in await store.spending(0.0)
                ],
                "settings": [
                    (each.name, each.value, each.who)
                    for each in await store.list_settings(EVERYWHERE)
                ],
                "audit": [
                    (each.action, each.name, each.before, each.after)
                    for each in await store.audit(EVERYWHERE, 0.0, 100)
                ],
                "found": [
                    hit.text.replace(slack.mention, "@bot")
                    for hit in (await store.search([place], terms("spain"), 9)).found
                ],
            }


async def test_it_ends_the_same(tmp_path: Path) -> None:
    on_sqlite = await conversation(tmp_path / "threadkeep.db")
    with postgres.database(postgres.migrated) as address:
        on_postgres = await conversation(ServerAddress(address))
    assert len(on_sqlite["transcript"]) == 6
    assert on_sqlite["usage"]
    assert on_postgres == on_sqlite
