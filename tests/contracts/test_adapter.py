"""What every Adapter promises, whoever the platform is."""

import io
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import pytest

from adapters.discord.adapter import connect as connect_discord
from adapters.slack.adapter import connect as connect_slack
from adapters.terminal.adapter import TerminalAdapter
from bot.ports import Adapter
from bot.values import Heard, Part, Shown, State, ThreadKey, Turn
from tests.emulators.discord import DiscordEmulator
from tests.emulators.slack import SlackEmulator
from tests.fakes import FakeAdapter
from tests.product import slack_env

KEY = "0123456789abcdef"


@dataclass
class Stage:
    """An adapter, a thread on its platform, and a reader's eyes."""

    adapter: Adapter
    thread: ThreadKey
    #: What the bot's messages in the thread read, top to bottom.
    seen: Callable[[], list[str]]
    #: Whether a message can be changed once it was shown.
    edits: bool = True

    def turn(self, *shown: Shown) -> Turn:
        # Platforms are asked for what was posted since the turn's last sign of life.
        touched = float(self.thread.thread) if self.adapter.name == "slack" else 0.0
        if self.adapter.name == "discord":
            touched = time.time()
        state = State.ANSWERING
        return Turn(1, KEY, self.thread, state, 1, touched, shown=shown)


@pytest.fixture(params=["fake", "slack", "discord", "terminal"])
async def stage(request: pytest.FixtureRequest) -> AsyncIterator[Stage]:
    if request.param == "fake":
        fake, thread = FakeAdapter(), ThreadKey("fake", "w", "c", "t")
        yield Stage(fake, thread, lambda: fake.texts(thread))
    elif request.param == "terminal":
        out = io.StringIO()
        terminal = TerminalAdapter(io.StringIO(), out)
        thread = terminal.thread
        yield Stage(terminal, thread, lambda: [out.getvalue().strip()], edits=False)
    elif request.param == "discord":
        async with DiscordEmulator() as discord, connect_discord(discord.env) as joined:
            channel = discord.add_channel("general")
            asked = discord.say(discord.add_user("Alice"), channel, "hello")
            thread = ThreadKey("discord", discord.guild, channel, asked)

            def read() -> list[str]:
                replies = [each for each in discord.messages(asked) if each.bot]
                return [each.text.removesuffix(" …") for each in replies]

            yield Stage(joined, thread, read)
    else:
        async with SlackEmulator() as slack, connect_slack(slack_env(slack)) as adapter:
            channel = slack.add_channel("general")
            ts = slack.say(slack.add_user("Alice"), channel, "hello")
            thread = ThreadKey("slack", slack.team, channel, ts)

            def seen() -> list[str]:
                replies = [each for each in slack.thread(channel, ts) if each.bot]
                return [each.text.removesuffix(" …") for each in replies]

            yield Stage(adapter, thread, seen)


async def test_a_reply_grows_in_one_message(stage: Stage) -> None:
    async with stage.adapter.surface(stage.turn()) as surface:
        messages = [
            await surface.show(Part(0, "")),
            await surface.show(Part(0, "Par")),
            await surface.show(Part(0, "Paris.", final=True)),
        ]
    assert len(set(messages)) == 1
    assert stage.seen() == ["Paris."]


async def test_a_placeholder_is_not_empty_for_the_platform(stage: Stage) -> None:
    async with stage.adapter.surface(stage.turn()) as surface:
        assert await surface.show(Part(0, ""))


async def test_a_second_part_is_a_message_below_the_first(stage: Stage) -> None:
    async with stage.adapter.surface(stage.turn()) as surface:
        first = await surface.show(Part(0, "One.", final=True))
        if not stage.edits:
            return
        second = await surface.show(Part(1, "Two.", final=True))
    assert first != second
    assert stage.seen() == ["One.", "Two."]


async def test_a_resumed_reply_goes_on_in_the_message_that_is_there(
    stage: Stage,
) -> None:
    async with stage.adapter.surface(stage.turn()) as surface:
        message = await surface.show(Part(0, "Par"))
    if not stage.edits:
        return
    turn = stage.turn(Shown(0, message, "Par"))
    async with stage.adapter.surface(turn) as surface:
        assert await surface.show(Part(0, "Paris.", final=True)) == message
    assert stage.seen() == ["Paris."]


async def test_a_post_of_unknown_outcome_is_not_doubled(stage: Stage) -> None:
    async with stage.adapter.surface(stage.turn()) as surface:
        await surface.show(Part(0, "Par"))
    if not stage.edits:
        return
    async with stage.adapter.surface(stage.turn(Shown(0, None))) as surface:
        await surface.show(Part(0, "Paris.", final=True))
    assert stage.seen() == ["Paris."]


async def test_a_message_can_be_taken_back(stage: Stage) -> None:
    async with stage.adapter.surface(stage.turn()) as surface:
        await surface.show(Part(0, "One.", final=True))
        if not stage.edits:
            return
        await surface.show(Part(1, "Two.", final=True))
        await surface.remove(1)
        await surface.remove(1)
    assert stage.seen() == ["One."]


async def test_names_are_given_for_whatever_was_heard(stage: Stage) -> None:
    heard = Heard(stage.thread, "1.0", 1.0, "nobody", "hi", True, True)
    [(author, text)] = await stage.adapter.readable([heard])
    assert author
    assert text == "hi"
    assert await stage.adapter.readable([]) == []


async def test_its_limits_can_be_rendered_for(stage: Stage) -> None:
    assert stage.adapter.limits.part_chars >= 40
    assert stage.adapter.name == stage.thread.platform


async def test_a_thread_that_is_there_settles_where_it_is(stage: Stage) -> None:
    assert await stage.adapter.settle(stage.turn()) == stage.thread
