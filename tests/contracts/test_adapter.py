"""The contract of Adapter, on every platform."""

import asyncio
import io
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from adapters.discord.adapter import connect as connect_discord
from adapters.slack.adapter import connect as connect_slack
from adapters.terminal.adapter import TerminalAdapter
from adapters.web.adapter import WebAdapter
from adapters.web.config import WebConfig
from bot.domain.answer_file import AnswerFile, Upload
from bot.domain.attachment import Attachment
from bot.domain.channel_access import NOWHERE, ChannelAccess
from bot.domain.message import Message
from bot.domain.names import PlaceNames
from bot.domain.person import Person
from bot.domain.post import Post
from bot.domain.post_key import PostKey
from bot.domain.reply import Part, PostedPart
from bot.domain.scope import Scope, ScopeLevel, ThreadKey
from bot.domain.turn import Turn, TurnState
from bot.errors import FileUnread, Unread
from bot.ports.platform import Adapter
from bot.ui.elements import Response
from storage import posts
from tests.emulators.discord.emulator import DiscordEmulator
from tests.emulators.slack.emulator import SlackEmulator
from tests.support.discord_harness import ScriptedCore, registered_commands
from tests.support.fakes import OPEN, FakeAdapter, show
from tests.support.memory_store import MemoryStore
from tests.support.process import slack_env

KEY = "0123456789abcdef"


@dataclass
class Stage:
    """An adapter, a thread on its platform, and a reader's eyes."""

    adapter: Adapter
    thread: ThreadKey
    #: What the bot's messages in the thread read, top to bottom.
    seen: Callable[[], list[str]]
    #: Attaches a file with this content to a message in the channel, and deletes that
    #: file with everything that shows it.
    attach: Callable[[bytes], Awaitable[Attachment]]
    lose: Callable[[Attachment], None]
    #: The files below the bot's answers in the thread, by message.
    attached: Callable[[], list[dict[str, bytes]]] = list
    #: Whether a message can be changed once it was shown.
    edits: bool = True
    #: Somebody who administers the workspace, a member, and what a person was told
    #: in private.
    admin: str = "you"
    member: str = ""
    told: Callable[[str], str] = lambda user: ""
    #: A channel that only the bot is in, one of another workspace, and the member's
    #: direct messages with the bot.
    hidden: Scope | None = None
    foreign: Scope | None = None
    direct: Scope | None = None
    #: The emoji under the thread's first message, where others talk, too.
    signs: Callable[[], tuple[str, ...]] = tuple

    def turn(self, *shown: PostedPart) -> Turn:
        # Platforms are asked for what was posted since the turn's last sign of life.
        touched = float(self.thread.thread) if self.adapter.name == "slack" else 0.0
        if self.adapter.name == "discord":
            touched = time.time()
        state = TurnState.ANSWERING
        return Turn(1, KEY, self.thread, state, 1, touched, shown=shown)


#: Discord by REST alone, as who answers and does not listen uses it.
REST = "discord by REST"


@pytest.fixture(params=["fake", "slack", "discord", REST, "terminal", "web"])
async def stage(request: pytest.FixtureRequest) -> AsyncIterator[Stage]:
    if request.param == "fake":
        fake, thread = FakeAdapter(), ThreadKey("fake", "w", "c", "t")
        fake.people["olga"] = Person("olga", "Olga", runs_workspace=True)
        said = Message(thread, "t", 1.0, "alice", "hello", addressed=False, opens=True)
        fake.past = [said]
        fake.attaches = True

        def attached_there() -> list[dict[str, bytes]]:
            files = fake.attached.get(thread, {}).values()
            return [{name: text.encode() for name, text in files}] if files else []

        nobody = ChannelAccess(exists=True, bot_writes=True)

        async def attach_there(content: bytes) -> Attachment:
            fake.stored_files["fake://a"] = content
            return Attachment("a.txt", "fake://a", "a", len(content))

        theirs = replace(OPEN, is_public=False)
        fake.may |= {("h", ""): nobody, ("x", ""): NOWHERE, ("D1", "alice"): theirs}
        yield Stage(
            fake,
            thread,
            lambda: fake.texts(thread),
            admin="olga",
            member="alice",
            told=lambda user: "".join(text for who, text in fake.told if who == user),
            hidden=Scope("fake", "w", "h"),
            foreign=Scope("fake", "w", "x"),
            direct=Scope("fake", "w", "D1"),
            signs=lambda: tuple(fake.marks.values()),
            attach=attach_there,
            lose=lambda file: fake.stored_files.clear(),
            attached=attached_there,
        )
    elif request.param == "terminal":
        out = io.StringIO()
        terminal = TerminalAdapter(io.StringIO(), out)
        thread = terminal.thread
        folder: Path = request.getfixturevalue("tmp_path")

        async def attach_here(content: bytes) -> Attachment:
            (folder / "a.txt").write_bytes(content)
            terminal.files.attach(str(folder / "a.txt"))
            return terminal.files.waiting[0]

        yield Stage(
            terminal,
            thread,
            lambda: [out.getvalue().strip()],
            edits=False,
            told=lambda user: out.getvalue(),
            attach=attach_here,
            lose=lambda file: (folder / "a.txt").unlink(),
        )
    elif request.param == "web":
        store = MemoryStore()
        web = WebAdapter(WebConfig(), store, lambda address: None)
        here = Scope("web", "local", "engineering")
        opening = await web.board.post("engineering", "", "mia", "hello")
        thread = opening.thread

        def shown() -> list[Post]:
            rows = store.db.execute("SELECT thread, message FROM posts ORDER BY id")
            keys = [row["message"] for row in rows.fetchall()]
            return [each for key in keys if (each := posted(key)) is not None]

        def posted(message: str) -> Post | None:
            return posts.post(store.db, here, message)

        async def attach_on_web(content: bytes) -> Attachment:
            file = Attachment("a.txt", "upload:f1", "f1", len(content))
            await web.board.post(
                *("engineering", "", "mia", ""), files=(file,), contents={"f1": content}
            )
            return file

        def lose_on_web(file: Attachment) -> None:
            store.db.execute("DELETE FROM posted_files")

        yield Stage(
            web,
            thread,
            lambda: [p.text for p in shown() if p.thread == thread and not p.author],
            admin="olga",
            member="mia",
            told=lambda user: "".join(
                p.text for p in shown() if p.thread.channel == f"D{user}"
            ),
            hidden=Scope("web", "local", "leads"),
            foreign=Scope("web", "elsewhere", "engineering"),
            direct=Scope("web", "local", "Dmia"),
            signs=lambda: post.signs if (post := posted(thread.thread)) else (),
            attach=attach_on_web,
            lose=lose_on_web,
        )
    elif request.param in ("discord", REST):
        listens = request.param == "discord"
        commands = await registered_commands()
        async with (
            DiscordEmulator() as discord,
            connect_discord(discord.env, listens=listens) as joined,
        ):
            discord.app.commands = commands
            channel = discord.add_channel("general")
            alice = discord.add_user("Alice")
            asked = discord.say(alice, channel, "hello")
            olga = discord.add_user("Olga", admin=True)
            thread = ThreadKey("discord", discord.guild, channel, asked)

            hidden = discord.add_channel("hidden")
            discord.set_permissions(hidden, user=alice, deny=["view_channel"])
            far = discord.add_channel("far", guild=discord.add_guild("Elsewhere"))

            def read() -> list[str]:
                replies = [each for each in discord.messages(asked) if each.bot]
                return [each.text.removesuffix(" …") for each in replies]

            def told_on_discord(user: str) -> str:
                talk = discord.messages(discord.open_dm(user))
                return "".join(each.text for each in talk)

            async def attach_on_discord(content: bytes) -> Attachment:
                discord.say(alice, channel, "", files={"a.txt": content})
                here = Scope("discord", discord.guild, channel)
                [message] = await joined.history.recent(here, 1)
                return message.files[0]

            def lose_on_discord(file: Attachment) -> None:
                discord.files.lost = True

            # What roles people hold is told to those who listen.
            listening = asyncio.create_task(joined.run(ScriptedCore().host))
            if listens:
                await discord.until(lambda: discord.gateway.connected)
            yield Stage(
                joined,
                thread,
                read,
                admin=olga,
                member=alice,
                told=told_on_discord,
                hidden=Scope("discord", discord.guild, hidden),
                foreign=Scope("discord", discord.guild, far),
                direct=Scope("discord", "@me", discord.open_dm(alice)),
                signs=lambda: discord.message(asked).reactions,
                attach=attach_on_discord,
                lose=lose_on_discord,
                attached=lambda: [
                    discord.attached(asked, each.id)
                    for each in discord.messages(asked)
                    if each.files
                ],
            )
            listening.cancel()
            await asyncio.wait({listening})
            if not listens:
                assert discord.gateway.log == []
    else:
        async with SlackEmulator() as slack, connect_slack(slack_env(slack)) as adapter:
            channel = slack.add_channel("general")
            alice = slack.add_user("Alice")
            ts = slack.say(alice, channel, "hello")
            olga = slack.add_user("Olga", admin=True)
            thread = ThreadKey("slack", slack.team, channel, ts)

            hidden = slack.add_channel("hidden", kind="group", members=[olga])

            def seen() -> list[str]:
                replies = [each for each in slack.thread(channel, ts) if each.bot]
                return [each.text.removesuffix(" …") for each in replies]

            def told_on_slack(user: str) -> str:
                talk = slack.world.messages[slack.open_dm(user)].values()
                return "".join(each.text for each in talk)

            async def attach_on_slack(content: bytes) -> Attachment:
                slack.say(alice, channel, "", files={"a.txt": content})
                here = Scope("slack", slack.team, channel)
                [message] = await adapter.history.recent(here, 1)
                return message.files[0]

            yield Stage(
                adapter,
                thread,
                seen,
                admin=olga,
                member=alice,
                told=told_on_slack,
                hidden=Scope("slack", slack.team, hidden),
                foreign=Scope("slack", slack.team, "C09999999"),
                direct=Scope("slack", slack.team, slack.open_dm(alice)),
                signs=lambda: slack.message(channel, ts).reactions,
                attach=attach_on_slack,
                lose=lambda file: slack.files.delete(file.id),
                attached=lambda: [
                    slack.attached(channel, each.ts)
                    for each in slack.thread(channel, ts)
                    if each.files
                ],
            )


async def test_a_reply_grows_in_one_message(stage: Stage) -> None:
    async with stage.adapter.surface(stage.turn()) as surface:
        messages = [
            await show(surface, Part(0, "")),
            await show(surface, Part(0, "Par")),
            await show(surface, Part(0, "Paris.", final=True)),
        ]
    assert len(set(messages)) == 1
    assert stage.seen() == ["Paris."]


async def test_a_placeholder_is_not_empty_for_the_platform(stage: Stage) -> None:
    async with stage.adapter.surface(stage.turn()) as surface:
        assert await show(surface, Part(0, ""))


async def test_a_second_part_is_a_message_below_the_first(stage: Stage) -> None:
    async with stage.adapter.surface(stage.turn()) as surface:
        first = await show(surface, Part(0, "One.", final=True))
        if not stage.edits:
            return
        second = await show(surface, Part(1, "Two.", final=True))
    assert first != second
    assert stage.seen() == ["One.", "Two."]


async def test_a_resumed_reply_goes_on_in_the_message_that_is_there(
    stage: Stage,
) -> None:
    async with stage.adapter.surface(stage.turn()) as surface:
        message = await show(surface, Part(0, "Par"))
    if not stage.edits:
        return
    turn = stage.turn(PostedPart(0, message, "Par"))
    async with stage.adapter.surface(turn) as surface:
        assert await show(surface, Part(0, "Paris.", final=True)) == message
    assert stage.seen() == ["Paris."]


async def test_a_post_of_unknown_outcome_is_not_doubled(stage: Stage) -> None:
    async with stage.adapter.surface(stage.turn()) as surface:
        await show(surface, Part(0, "Par"))
    if not stage.edits:
        return
    async with stage.adapter.surface(stage.turn(PostedPart(0, None))) as surface:
        await show(surface, Part(0, "Paris.", final=True))
    assert stage.seen() == ["Paris."]


async def test_a_message_can_be_taken_back(stage: Stage) -> None:
    async with stage.adapter.surface(stage.turn()) as surface:
        await show(surface, Part(0, "One.", final=True))
        if not stage.edits:
            return
        await show(surface, Part(1, "Two.", final=True))
        assert surface.deletions is not None
        await surface.deletions.remove(1)
        await surface.deletions.remove(1)
    assert stage.seen() == ["One."]


async def test_a_post_is_taken_back_unless_it_is_known(stage: Stage) -> None:
    if not stage.edits:
        return
    async with stage.adapter.surface(stage.turn()) as surface:
        message = await show(surface, Part(0, "One.", final=True))
        assert surface.deletions is not None
        await surface.deletions.take_back(0, {"another", message})
        assert stage.seen() == ["One."]
    for _ in range(2):
        await surface.deletions.take_back(0, {"another"})
    assert stage.seen() == []


FILES = (AnswerFile("a.py", "print()\n"), AnswerFile("b.csv", "a,b\n"))
SHOWN = [{each.name: each.data for each in FILES}]


async def test_files_are_shown_once_together_and_can_be_removed(stage: Stage) -> None:
    async with stage.adapter.surface(stage.turn()) as surface:
        await show(surface, Part(0, "Two files.", final=True))
        uploads = surface.uploads
        if uploads is None:
            assert stage.adapter.name in ("terminal", "web")
            return
        ids = await uploads.prepare(FILES)
        assert stage.attached() == []
        batch = [
            Upload(0, position, file.name, file.digest, id)
            for position, (file, id) in enumerate(zip(FILES, ids, strict=True))
        ]
        shown = await uploads.post(FILES, batch, again=False)
        assert all(shown)
        assert stage.attached() == SHOWN
        # A process that crashed before it stored that does it again.
        assert await uploads.post(FILES, batch, again=True) == shown
        assert stage.attached() == SHOWN
        known = [replace(e, id=id) for e, id in zip(batch, shown, strict=True)]
        await uploads.remove(known)
        await uploads.remove(known)
        assert stage.attached() == []
        assert stage.seen() == ["Two files."]


async def test_names_are_given_for_whatever_was_heard(stage: Stage) -> None:
    heard = Message(stage.thread, "1.0", 1.0, "nobody", "hi", True, True)
    [(author, text)] = await stage.adapter.readable([heard])
    assert author
    assert text == "hi"
    assert await stage.adapter.readable([]) == []


async def test_its_limits_can_be_rendered_for(stage: Stage) -> None:
    assert stage.adapter.limits.part_chars >= 40
    assert stage.adapter.name == stage.thread.platform


async def test_a_thread_that_exists_resolves_to_itself(stage: Stage) -> None:
    assert await stage.adapter.resolve_thread(stage.turn()) == stage.thread


async def test_it_knows_who_administers_the_workspace(stage: Stage) -> None:
    place = Scope.of(stage.thread)
    admin = await stage.adapter.directory.person(place, stage.admin)
    assert (admin.id, admin.runs_workspace, admin.outsider) == (
        stage.admin,
        True,
        False,
    )
    assert admin.name
    if stage.member:
        member = await stage.adapter.directory.person(place, stage.member)
        flags = (member.runs_workspace, member.runs_channel, member.outsider)
        assert flags == (False, False, False)


async def test_it_tells_somebody_something_in_private(stage: Stage) -> None:
    await stage.adapter.tell(stage.thread.workspace, stage.admin, "**75%** is used.")
    assert "75%" in stage.told(stage.admin)
    if stage.member:
        assert stage.told(stage.member) == ""
    assert "75%" not in str(stage.seen()) or not stage.edits


#: Where others talk besides who asks.
TALKING = pytest.mark.parametrize(
    "stage", ["fake", "slack", "discord", "web"], indirect=True
)


@TALKING
async def test_it_knows_who_may_read_and_write_in_a_channel(stage: Stage) -> None:
    directory, here = stage.adapter.directory, Scope.of(stage.thread)
    everything = ChannelAccess(exists=True, reads=True, writes=True, bot_writes=True)
    for _ in range(2):
        # As remembered, too.
        assert await directory.access(
            here.at(ScopeLevel.CHANNEL), stage.member
        ) == replace(everything, is_public=True)
    # Whoever looks at reports is nobody of the workspace.
    assert (await directory.access(here.at(ScopeLevel.CHANNEL), "")).is_public
    assert stage.hidden is not None
    assert stage.foreign is not None
    assert stage.direct is not None
    hidden = await directory.access(stage.hidden, stage.member)
    assert hidden == ChannelAccess(exists=True, bot_writes=True)
    assert await directory.access(stage.foreign, stage.member) == NOWHERE
    assert await directory.access(stage.direct, stage.member) == everything
    assert not (await directory.access(stage.direct, stage.admin)).reads


@TALKING
async def test_it_tells_the_names_of_people_and_places(stage: Stage) -> None:
    names, here = stage.adapter.directory.names, Scope.of(stage.thread)
    found = await names(here, stage.member)
    person, channel = {"fake": ("Alice", "#c"), "web": ("Mia", "#engineering")}.get(
        stage.adapter.name, ("Alice", "#general")
    )
    assert (found.person, found.channel) == (person, channel)
    assert found.workspace
    assert stage.direct is not None
    assert (await names(stage.direct, stage.member)).channel == f"@{person}"
    wide = await names(here.at(ScopeLevel.WORKSPACE), "")
    assert (wide.person, wide.channel) == ("", "")
    assert wide.workspace == found.workspace


async def test_a_terminal_has_no_names_besides_its_ids() -> None:
    terminal = TerminalAdapter(io.StringIO(), io.StringIO())
    assert await terminal.directory.names(Scope.of(terminal.thread), "you") == (
        PlaceNames()
    )


@TALKING
async def test_it_knows_what_is_direct_messages(stage: Stage) -> None:
    assert stage.direct is not None
    is_direct = stage.adapter.directory.is_direct
    assert is_direct(stage.direct)
    here = Scope.of(stage.thread)
    assert not any(map(is_direct, (here, here.at(ScopeLevel.WORKSPACE))))


@pytest.mark.parametrize(
    "stage", ["slack", "discord", "terminal", "web"], indirect=True
)
async def test_what_is_no_channel_is_nowhere(stage: Stage) -> None:
    here = Scope.of(stage.thread)
    for channel in ("general", "#general", "", "٣", "7" * 40, "C1|x"):
        there = Scope(here.platform, here.workspace, channel)
        found = await stage.adapter.directory.access(there, stage.admin)
        assert found == NOWHERE, channel


@TALKING
async def test_what_was_said_lately_in_a_channel(stage: Stage) -> None:
    channel = Scope.of(stage.thread).at(ScopeLevel.CHANNEL)
    history = stage.adapter.history
    assert history is not None
    [heard] = await history.recent(channel, 10)
    assert (heard.text, heard.opens) == ("hello", True)
    assert heard.thread == stage.thread
    assert await history.recent(channel, 10, time.time() + 3_600) == []


@TALKING
async def test_a_sign_is_there_once_however_often_it_is_put(stage: Stage) -> None:
    message = stage.thread.thread if stage.adapter.name != "fake" else "t"
    messenger = stage.adapter.messenger
    assert messenger is not None
    for _ in range(2):
        await messenger.mark(Scope.of(stage.thread), message, "🔴")
    assert len(stage.signs()) == 1
    for _ in range(2):
        await messenger.unmark(Scope.of(stage.thread), message, "🔴")
    assert len(stage.signs()) == 0
    link = await messenger.link(Scope.of(stage.thread), message)
    # The local workspace has the address of its server, once that listens.
    assert link.startswith("/c/" if stage.adapter.name == "web" else "https://")


@pytest.mark.parametrize("stage", ["slack", "web"], indirect=True)
async def test_a_post_with_a_key_is_there_once(stage: Stage) -> None:
    messenger = stage.adapter.messenger
    assert messenger is not None
    key = PostKey("label-1", time.time() - 60)
    other = PostKey("label-2", key.since, again=True)
    for each in (key, replace(key, again=True), other):
        await messenger.post(Scope.of(stage.thread), Response("a bug"), key=each)
    assert stage.seen() == ["a bug", "a bug"]


async def test_it_hands_out_the_bytes_of_a_file_or_says_why_not(stage: Stage) -> None:
    file, source = await stage.attach(b"content"), stage.adapter.files
    assert source is not None
    assert (file.name, file.size) == ("a.txt", 7)

    async def outcome(file: Attachment, most: int = 7) -> object:
        into = io.BytesIO()
        try:
            await source.fetch(Scope.of(stage.thread), file, into, most)
        except FileUnread as why:
            return why.reason
        return into.getvalue()

    assert await outcome(file) == b"content"
    assert await outcome(file, 6) is Unread.TOO_LARGE
    # What is announced is not what counts.
    for size in (None, 1):
        assert await outcome(replace(file, size=size), 6) is Unread.TOO_LARGE
    nobodys = {Unread.ELSEWHERE, Unread.UNAVAILABLE}
    for url in ("https://example.org/a.txt", "/etc/passwd", ""):
        assert await outcome(Attachment("a.txt", url)) in nobodys
    stage.lose(file)
    assert await outcome(file) in {Unread.DELETED, Unread.UNAVAILABLE}


async def test_a_terminal_belongs_to_the_person_at_the_keyboard() -> None:
    terminal = TerminalAdapter(io.StringIO(), io.StringIO())
    directory, place = terminal.directory, Scope.of(terminal.thread)
    owned = ChannelAccess(exists=True, reads=True, writes=True, is_public=True)
    assert await directory.access(place, "you") == owned
    assert await directory.access(place, "somebody") == NOWHERE
    assert (await directory.access(place, "")).is_public
    assert not directory.is_direct(place)
