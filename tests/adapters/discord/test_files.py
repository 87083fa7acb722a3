"""Files that people attach: the files of a message, and their download from Discord."""

import io
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest

from adapters.discord import message_files
from adapters.discord.adapter import DiscordAdapter, connect
from bot.domain.attachment import Attachment
from bot.domain.scope import Scope
from bot.errors import (
    AccessRevoked,
    DeliveryError,
    FileUnread,
    ThreadkeepError,
    Throttled,
    Unread,
)
from bot.runtime import downloads
from tests.adapters.discord.test_content import shape
from tests.emulators.discord.emulator import DiscordEmulator
from tests.emulators.discord.faults import MESSAGE, error
from tests.emulators.wire import Body

MOST = 1_000_000
A_DAY = 86_401


@dataclass
class Desk:
    """A channel in which Alice sends files."""

    discord: DiscordEmulator
    adapter: DiscordAdapter
    alice: str
    channel: str

    @property
    def place(self) -> Scope:
        return Scope("discord", self.discord.guild, self.channel)

    async def newest(self) -> tuple[Attachment, ...]:
        """Return the files of the newest message."""
        [message] = await self.adapter.history.recent(self.place, 1)
        return message.files

    def send(self, content: bytes = b"content") -> str:
        files = {"a b.txt": content}
        return self.discord.say(self.alice, self.channel, "see", files=files)

    async def sent(self, content: bytes = b"content") -> Attachment:
        """Return the one file of a new message."""
        self.send(content)
        [file] = await self.newest()
        return file

    async def fetch(self, file: Attachment, most: int = MOST) -> bytes:
        into = io.BytesIO()
        await self.adapter.files.fetch(self.place, file, into, most)
        return into.getvalue()

    async def outcome(self, file: Attachment) -> object:
        """Return the content of `file`, or why there is none."""
        try:
            return await self.fetch(file)
        except (FileUnread, DeliveryError) as why:
            assert_silent(why, file)
            return why.reason if isinstance(why, FileUnread) else type(why)


def assert_silent(error: ThreadkeepError, file: Attachment) -> None:
    """Whoever has the address of a file can read it, so no log may show it."""
    seen: BaseException | None = error
    while seen is not None:
        assert not file.url or file.url not in str(seen)
        seen = seen.__cause__


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with DiscordEmulator() as discord, connect(discord.env) as adapter:
        alice, channel = discord.add_user("Alice"), discord.add_channel("general")
        yield Desk(discord, adapter, alice, channel)


async def test_a_message_has_its_files_those_it_forwards_and_those_it_shows(
    desk: Desk,
) -> None:
    said = desk.send()
    [file] = await desk.newest()
    assert (file.name, file.size) == ("a b.txt", 7)
    desk.discord.forward(desk.alice, said, desk.channel)
    [forwarded] = await desk.newest()
    assert await desk.fetch(forwarded) == b"content"
    assert forwarded.key != file.key
    desk.discord.post(desk.alice, desk.channel, shape("discord-components"))
    [shown] = await desk.newest()
    assert (shown.name, shown.size) == ("c.log", 5)
    assert await desk.outcome(shown) is Unread.ELSEWHERE


async def test_a_file_has_the_name_that_people_gave_it(desk: Desk) -> None:
    names = ("Überblick.pdf", "資料.csv", "отчёт", "plan.txt")
    files = dict.fromkeys(names, b"content")
    desk.discord.say(desk.alice, desk.channel, "see", files=files)
    assert tuple(each.name for each in await desk.newest()) == names


async def test_an_address_that_has_expired_is_renewed(desk: Desk) -> None:
    said = desk.send()
    [file] = await desk.newest()
    desk.discord.forward(desk.alice, said, desk.channel)
    [forwarded] = await desk.newest()
    desk.discord.advance(A_DAY)
    assert await desk.fetch(file) == await desk.fetch(forwarded) == b"content"
    # A file of `/ask` is on no message.
    asked = replace(file, id=file.id.rpartition("/")[2])
    for lost in (asked, replace(file, id="x/y/z"), replace(file, id="")):
        assert await desk.outcome(lost) is Unread.UNAVAILABLE
    gone = replace(file, id=file.id + "0")
    assert await desk.outcome(gone) is Unread.DELETED
    desk.discord.faults.add("GET", MESSAGE, error(403, 50001, "Missing Access"))
    assert await desk.outcome(file) is Unread.UNAVAILABLE
    desk.discord.faults.add("GET", MESSAGE, error(401, 0, "401: Unauthorized"))
    with pytest.raises(AccessRevoked):
        await desk.fetch(file)
    desk.discord.delete(said)
    assert await desk.outcome(file) is Unread.UNAVAILABLE


async def test_what_is_not_there_with_a_new_address_either_is_unavailable(
    desk: Desk,
) -> None:
    file = await desk.sent()
    desk.discord.files.lost = True
    assert await desk.outcome(file) is Unread.UNAVAILABLE


async def test_files_come_from_discord_only_and_without_the_token(desk: Desk) -> None:
    path = "attachments/1/2/a?ex=1&is=1&hm=1"
    for url in (
        f"https://example.org/{path}",
        f"https://cdn.discordapp.com.example.org/{path}",
        f"http://cdn.discordapp.com/{path}",
        f"https://cdn.discordapp.com:8443/{path}",
        f"https://cdn.discordapp.com@example.org/{path}",
        f"https://user@cdn.discordapp.com/{path}",
        f"https://discord.com/{path}",
        f"https://[::1]/{path}",
        f"http://10.0.0.1/{path}",
        f"file:///{path}",
        "no address",
    ):
        assert await desk.outcome(Attachment("a", url, "7")) is Unread.ELSEWHERE, url
    assert await desk.outcome(Attachment("a")) is Unread.UNAVAILABLE
    assert desk.discord.files.served == []
    assert await desk.fetch(await desk.sent()) == b"content"
    assert [token for _, token in desk.discord.files.served] == [""]


async def test_a_download_ends_in_time_and_size(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = await desk.sent(bytes(200_000))
    number = file.id.rpartition("/")[2]
    meanings = {
        Body.ENDLESS: Unread.TOO_LARGE,
        Body.CUT: DeliveryError,
        Body.STALLED: DeliveryError,
    }
    for body, meaning in meanings.items():
        stall = 0.1 if body is Body.STALLED else 60.0
        monkeypatch.setattr(downloads, "STALL", stall)
        desk.discord.files.bodies[number] = body
        assert await desk.outcome(file) is meaning, body
    monkeypatch.setattr(downloads, "STALL", 60.0)
    del desk.discord.files.bodies[number]
    statuses = {
        # Not followed: files are where their addresses say.
        302: Unread.UNAVAILABLE,
        410: Unread.DELETED,
        429: Throttled,
        503: DeliveryError,
    }
    for status, meaning in statuses.items():
        desk.discord.files.statuses.append(status)
        assert await desk.outcome(file) is meaning, status


def test_a_file_of_a_command_is_on_no_message() -> None:
    assert message_files.message_of(Attachment("a", "https://x", "7")) is None
