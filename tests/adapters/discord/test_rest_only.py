"""A process that answers without a gateway session."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

import pytest

from adapters.discord.adapter import DiscordAdapter, connect
from bot.domain.message import Message
from bot.domain.reply import Part
from bot.domain.scope import Scope, ThreadKey
from bot.domain.turn import Turn, TurnState
from bot.errors import AccessRevoked
from bot.ports.host import Host
from tests.emulators.discord.emulator import DiscordEmulator
from tests.storage.test_leases import OneOf
from tests.support.discord_harness import Office, ScriptedCore, attended
from tests.support.fakes import show


def turn_of(message: Message) -> Turn:
    state = TurnState.ANSWERING
    key = "0123456789abcdef"
    return Turn(1, key, message.thread, state, 1, time.time(), opening=message)


@contextlib.asynccontextmanager
async def worker_of(discord: DiscordEmulator) -> AsyncIterator[DiscordAdapter]:
    """An adapter that does not listen."""
    async with connect(discord.env, listens=False) as adapter:
        task = asyncio.create_task(adapter.run(ScriptedCore().host))
        try:
            yield adapter
        finally:
            task.cancel()
            await asyncio.wait({task})


class Board:
    """A guild as one worker sees it."""

    def __init__(self, discord: DiscordEmulator, worker: DiscordAdapter) -> None:
        self.discord = discord
        self.worker = worker
        self.alice = discord.add_user("Alice")
        self.general = discord.add_channel("general")

    def message(self, text: str, name: str = "") -> Message:
        """Return a question of Alice's, as another process stored it."""
        said = self.discord.say(self.alice, self.general, text)
        thread = ThreadKey("discord", self.discord.guild, self.general, said)
        return Message(
            *(thread, said, time.time(), self.alice, text),
            addressed=True,
            opens=True,
            name=name,
        )


@pytest.fixture
async def board() -> AsyncIterator[Board]:
    async with DiscordEmulator() as discord, worker_of(discord) as worker:
        yield Board(discord, worker)
        assert discord.gateway.log == []


async def test_the_names_that_came_with_a_message_are_not_looked_up(
    board: Board,
) -> None:
    discord = board.discord
    role = discord.add_role("deployers", board.alice)
    text = f"<@&{role}> look at <#{board.general}>"
    [(author, said)] = await board.worker.readable([board.message(text, "Ally")])
    assert author == "Ally"
    assert said == "@deployers look at #general"
    assert discord.calls_of("GET", rf".*/(members|users)/{board.alice}") == []


async def test_a_guild_is_read_once_for_several_questions(board: Board) -> None:
    for _ in range(3):
        await board.worker.readable([board.message("hi", "Ally")])
    place = Scope("discord", board.discord.guild, board.general)
    names = await board.worker.directory.names(place, board.alice)
    assert (names.channel, names.workspace) == ("#general", "Emulated")
    assert len(board.discord.calls_of("GET", r".*/guilds/\d+/channels")) == 1


async def test_who_is_refused_and_gets_the_right_is_not_refused_again(
    board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    discord, directory = board.discord, board.worker.directory
    monkeypatch.setattr("adapters.discord.channels.CURRENT", 0.0)
    discord.set_permissions(board.general, user=board.alice, deny=["view_channel"])
    place = Scope("discord", discord.guild, board.general)
    assert not (await directory.access(place, board.alice)).reads
    discord.set_permissions(board.general, user=board.alice, allow=["view_channel"])
    assert (await directory.access(place, board.alice)).reads
    later = Scope("discord", discord.guild, discord.add_channel("later"))
    assert (await directory.access(later, board.alice)).bot_writes


async def test_a_guild_that_removed_the_bot_is_not_asked_for_again_and_again(
    board: Board,
) -> None:
    discord = board.discord
    discord.kick_bot(discord.guild)
    for _ in range(3):
        await board.worker.readable([board.message("hi", "Ally")])
    assert len(discord.calls_of("GET", r".*/guilds/\d+")) == 1


async def test_a_token_that_is_reset_ends_the_process(board: Board) -> None:
    async with connect(board.discord.env, listens=False) as other:
        task = asyncio.create_task(other.run(ScriptedCore().host))
        board.discord.revoke()
        with pytest.raises(AccessRevoked):
            await other.tell("@me", board.alice, "hello")
        with pytest.raises(AccessRevoked):
            await task


async def test_a_worker_answers_in_a_post_of_a_forum(board: Board) -> None:
    discord, worker = board.discord, board.worker
    forum = discord.add_channel("help", kind="forum")
    post = discord.forum_post(board.alice, forum, "Title", "why?")
    thread = ThreadKey("discord", discord.guild, forum, post)
    asked = Message(
        *(thread, post, time.time(), board.alice, "why?"), addressed=True, opens=True
    )
    async with worker.surface(turn_of(asked)) as surface:
        await show(surface, Part(0, "Paris.", final=True))
    assert [each.text for each in discord.messages(post)] == ["why?", "Paris."]
    await worker.messenger.mark(Scope.of(thread), post, "⏳")
    assert discord.message(post).reactions == ("⏳",)


class Hasty(ScriptedCore):
    """Has another process answer a question as soon as it may begin."""

    def __init__(self, answer: Callable[[Message], Awaitable[None]]) -> None:
        super().__init__()
        self._answer = answer
        self.answers: list[asyncio.Future[None]] = []

    @property
    def host(self) -> Host:
        return replace(super().host, gateways=OneOf("one"))

    async def begin(self, thread: ThreadKey, to: ThreadKey) -> None:
        await super().begin(thread, to)
        question = replace(self.heard[-1], thread=to)
        self.answers.append(asyncio.ensure_future(self._answer(question)))


async def test_a_worker_answers_a_command_below_the_response_of_the_gateway() -> None:
    async with DiscordEmulator() as discord, worker_of(discord) as worker:

        async def answer(message: Message) -> None:
            turn = turn_of(message)
            turn = replace(turn, thread=await worker.resolve_thread(turn))
            async with worker.surface(turn) as surface:
                await show(surface, Part(0, "Paris.", final=True))

        office = Office(discord)
        office.core = core = Hasty(answer)
        async with attended(office):
            asked = discord.command(
                *(office.alice, office.general, "ask"), question="The capital?"
            )
            answers = await discord.until(lambda: core.answers)
            [(held, place)] = office.core.begun
            assert office.core.held == [held]
            # Its thread was there before anybody began.
            assert discord.threads(office.general) == [place.thread]
            await asyncio.gather(*answers)
            [question] = discord.messages(office.general)
            assert "The capital?" in question.text
            assert asked.response is not None
            assert asked.response.message is not None
            assert asked.response.message.id == question.id
            shown = [each.text for each in discord.messages(question.id) if each.bot]
            assert shown[-1] == "Paris."
    assert discord.calls_of("DELETE") == []
