"""The contract of commands on every platform: each command gets a response."""

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from bot.commands.catalog import COMMANDS
from bot.domain.person import Person
from bot.domain.scope import Scope
from bot.errors import ThreadkeepError
from bot.messages.commands import STALE
from bot.ui.command_spec import CommandSpec, ParameterType
from bot.ui.elements import Form
from tests.emulators.discord.emulator import DiscordEmulator
from tests.emulators.slack.emulator import SlackEmulator
from tests.support.command_harness import (
    CHANNEL,
    GUEST,
    MANAGER,
    MEMBER,
    OWNER,
    THREAD,
    WORKSPACE,
    Office,
)
from tests.support.memory_store import MemoryStore
from tests.support.process import running
from tests.support.scripted_model import ScriptedModel

#: What is said where nothing else is known: never to somebody who gave a command.
DEFAULTS = {"", "Done.", STALE, ThreadkeepError.user_text}

#: A value for each parameter that must be given.
VALUES = {"version": "1", "option": "model"}

LISTED = [verb for verb in COMMANDS if not verb.hidden]

#: Returns what a person is told, or the title of the form that they are shown.
Tell = Callable[[str, CommandSpec], Awaitable[str]]


def required(verb: CommandSpec) -> dict[str, str]:
    return {p.name: VALUES[p.name] for p in verb.parameters if p.required}


@pytest.mark.parametrize("person", [OWNER, MANAGER, MEMBER, GUEST], ids=lambda p: p.id)
@pytest.mark.parametrize("place", [THREAD, CHANNEL, WORKSPACE], ids=str)
async def test_the_core_says_something_about_each(person: Person, place: Scope) -> None:
    office = Office()
    for verb in COMMANDS:
        result = await office.give(verb.name, person, place, **required(verb))
        if isinstance(result, Form):
            assert result.title, verb.name
            assert result.fields, verb.name
        else:
            assert result.text.strip() not in DEFAULTS, verb.name


@pytest.fixture(params=["slack", "discord"])
async def told(
    request: pytest.FixtureRequest,
) -> AsyncIterator[tuple[Tell, dict[str, str]]]:
    """A function that gives a command on a platform, and the ids of a member and an
    admin."""
    store, model = MemoryStore(), ScriptedModel()
    if request.param == "slack":
        async with SlackEmulator() as slack, running(slack, store, model):
            people = {
                "member": slack.add_user("Max"),
                "admin": slack.add_user("Olga", admin=True),
            }
            channel = slack.add_channel("general")

            async def on_slack(user: str, verb: CommandSpec) -> str:
                text = " ".join([verb.name, *required(verb).values()])
                before = len(slack.ephemerals(user))
                shown = slack.modal(user)
                done = slack.command(user, channel, "/claude", text)
                await slack.until(lambda: done.acked)
                if slack.modal(user) is not shown:
                    modal = slack.modal(user)
                    assert modal is not None
                    return modal.title
                await slack.until(lambda: len(slack.ephemerals(user)) > before)
                return slack.ephemerals(user)[-1].text

            yield on_slack, people
    else:
        async with DiscordEmulator() as discord, running(discord, store, model):
            people = {
                "member": discord.add_user("Max"),
                "admin": discord.add_user("Olga", admin=True),
            }
            general = discord.add_channel("general")

            async def on_discord(user: str, verb: CommandSpec) -> str:
                root = "claude-admin" if verb.admin else "claude"
                name = verb.name if verb.own else f"{root} {verb.name}"
                numbers = {
                    p.name for p in verb.parameters if p.takes is ParameterType.NUMBER
                }
                given: dict[str, Any] = {
                    name: int(value) if name in numbers else value
                    for name, value in required(verb).items()
                }
                asked = discord.command(user, general, name, **given)
                answer = await discord.until(lambda: asked.response)
                assert answer is not None
                if answer.modal:
                    return str(answer.modal["title"])
                await discord.until(lambda: discord.settled)
                message = asked.response.message if asked.response else None
                assert message is not None
                assert not message.thinking
                return message.text

            yield on_discord, people


async def test_the_platform_shows_what_it_says(
    told: tuple[Tell, dict[str, str]],
) -> None:
    tell, people = told
    for who, verb in itertools.product(("member", "admin"), LISTED):
        if verb.admin and who == "member":
            # Discord hides it from them; the core's answer is tested above.
            continue
        assert (await tell(people[who], verb)).strip() not in DEFAULTS, verb.name
