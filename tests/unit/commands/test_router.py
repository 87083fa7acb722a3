"""Each command reaches its handler."""

from bot.commands.catalog import COMMANDS
from bot.messages.commands import STALE
from bot.ui.elements import Response
from tests.support.command_harness import Office


async def test_every_verb_of_the_catalog_has_a_handler() -> None:
    for verb in [each.name for each in COMMANDS]:
        assert await Office().give(verb) != Response(STALE), verb


async def test_a_verb_of_an_earlier_version_is_explained() -> None:
    assert await Office().give("purge") == Response(STALE)
