"""Files that people attach: the files of a message, and their download from Slack."""

import io
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from adapters.slack import message_files
from adapters.slack.adapter import SlackAdapter, connect
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
from tests.emulators.slack.emulator import SlackEmulator
from tests.emulators.slack.faults import error
from tests.emulators.wire import Body
from tests.support.process import slack_env

MOST = 1_000_000
AT = "https://files.slack.com/files-pri/T1-F1"


@dataclass
class Desk:
    """A channel in which Alice sends files."""

    slack: SlackEmulator
    adapter: SlackAdapter
    alice: str
    channel: str

    async def sent(
        self, content: bytes = b"content", name: str = "a.txt"
    ) -> Attachment:
        """Return the one file of a new message."""
        self.slack.say(self.alice, self.channel, "", files={name: content})
        place = Scope("slack", self.slack.team, self.channel)
        [message] = await self.adapter.history.recent(place, 1)
        [file] = message.files
        return file

    async def fetch(self, file: Attachment, most: int = MOST) -> bytes:
        into = io.BytesIO()
        place = Scope("slack", self.slack.team, self.channel)
        await self.adapter.files.fetch(place, file, into, most)
        return into.getvalue()

    async def outcome(self, file: Attachment) -> object:
        """Return the content of `file`, or why there is none."""
        try:
            return await self.fetch(file)
        except FileUnread as why:
            assert_silent(why, file)
            return why.reason
        except DeliveryError as why:
            assert_silent(why, file)
            return type(why)


def assert_silent(error: ThreadkeepError, file: Attachment) -> None:
    """Neither the address nor the token may be in what a log could show."""
    seen: BaseException | None = error
    while seen is not None:
        for secret in filter(None, (file.url, "xoxb-", "files-pri")):
            assert secret not in str(seen)
        seen = seen.__cause__


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with SlackEmulator() as slack, connect(slack_env(slack)) as adapter:
        yield Desk(
            slack, adapter, slack.add_user("Alice"), slack.add_channel("general")
        )


def test_a_message_has_its_files_and_those_it_forwards_each_once() -> None:
    def hosted(number: str, **more: Any) -> dict[str, Any]:
        at = f"https://files.slack.com/files-pri/T1-{number}/x"
        return {"id": number, "name": f"{number}.txt", "url_private": at, **more}

    inner = {"attachments": [{"files": [hosted("F4")]}], "files": [hosted("F3")]}
    message = {
        "files": [hosted("F1", size=5), {"id": "F2", "file_access": "check_file_info"}],
        "attachments": [
            {"is_share": True, "files": [hosted("F3"), hosted("F1"), "no file"]},
            {"message_blocks": [{"message": inner}]},
        ],
    }
    found = message_files.attachments(message, automated=False)
    assert [each.id for each in found] == ["F1", "F2", "F3", "F4"]
    assert found[0].size == 5
    assert found[1] == Attachment("a file", id="F2")
    wrongs: list[Any] = [None, 7, "x", [7], [[]], {"files": 1}]
    for wrong in wrongs:
        shape = {"files": wrong, "attachments": wrong}
        assert message_files.attachments(shape, automated=False) == ()
    # A program could name any file in the attachments that it writes.
    found = message_files.attachments(message, automated=True)
    assert [each.id for each in found] == ["F1", "F2"]


def test_the_mode_of_a_file_says_where_its_bytes_are() -> None:
    both = {"url_private": f"{AT}/a", "url_private_download": f"{AT}/download/a"}
    api = "https://slack.com/api/chat.delete?channel=C1&ts=1.0"
    addresses = [
        message_files.attachment({"id": "F1", **file}).url
        for file in (
            {"mode": "hosted", **both},
            {"mode": "snippet", "url_private": f"{AT}/a"},
            {"mode": "canvas", "url_private": f"{AT}/a"},
            {"mode": "tombstone", **both},
            {"mode": "hidden_by_limit", **both},
            {"mode": "external", "url_private": "https://drive.example/a"},
            # An address of somebody's own must not be called with the token.
            {"mode": "external", "url_private": f"{AT}/a"},
            {"is_external": True, "url_private": api},
        )
    ]
    assert addresses == [
        *(f"{AT}/download/a", f"{AT}/a", "", "", "", "https://drive.example/a", "", ""),
    ]


async def test_what_is_not_known_of_a_file_is_looked_up(desk: Desk) -> None:
    file = await desk.sent()
    stub = message_files.attachment(desk.slack.files.stub(file.id))
    assert await desk.fetch(stub) == b"content"
    known = desk.slack.files.json(file.id)
    assert known is not None
    reasons = {
        "external": Unread.ELSEWHERE,
        "tombstone": Unread.DELETED,
        "hidden_by_limit": Unread.UNAVAILABLE,
        "canvas": Unread.UNSUPPORTED,
    }
    known["url_private_download"] = ""
    for mode, reason in reasons.items():
        known["mode"] = mode
        assert await desk.outcome(stub) is reason
    assert len(desk.slack.files.served) == 1
    refusals = {
        "file_deleted": Unread.DELETED,
        "file_not_found": Unread.UNAVAILABLE,
        "missing_scope": Unread.NO_SCOPE,
        "not_in_channel": Unread.UNAVAILABLE,
        "internal_error": DeliveryError,
    }
    for code, meaning in refusals.items():
        desk.slack.faults.add("files.info", error(code))
        assert await desk.outcome(stub) is meaning
    desk.slack.faults.add("files.info", error("token_revoked"))
    with pytest.raises(AccessRevoked):
        await desk.fetch(stub)


async def test_the_page_for_signing_in_is_no_file(desk: Desk) -> None:
    page = b"<!DOCTYPE html><p>Hello</p>"
    text, html = await desk.sent(), await desk.sent(page, "a.html")
    assert await desk.fetch(html) == page
    desk.slack.granted.discard("files:read")
    assert await desk.outcome(text) is Unread.NO_SCOPE
    assert await desk.outcome(html) is Unread.NO_SCOPE
    desk.slack.granted.add("files:read")
    # Slack knows the file, and does not hand it out.
    desk.slack.files.locked.update({text.id, html.id})
    assert await desk.outcome(text) is Unread.NO_SCOPE
    assert await desk.outcome(html) is Unread.NO_SCOPE
    # Somebody forwarded it from a channel in which the bot is not.
    desk.slack.faults.add("files.info", error("file_not_found"))
    assert await desk.outcome(text) is Unread.UNAVAILABLE


async def test_the_token_goes_to_files_on_slack_only(desk: Desk) -> None:
    file, path = await desk.sent(), "files-pri/T1-F1/a"
    base = desk.slack.api_url.removesuffix("/api/")
    for url in (
        f"https://example.org/{path}",
        f"https://slack.com.example.org/{path}",
        f"https://notslack.com/{path}",
        f"http://files.slack.com/{path}",
        f"https://files.slack.com:8443/{path}",
        f"https://files.slack.com@example.org/{path}",
        f"https://user:pw@files.slack.com/{path}",
        f"https://example.org\\@files.slack.com/{path}",
        "https://files.slack.com/api/chat.delete",
        "https://files.slack.com/files-pri/../api/chat.delete",
        f"https://127.0.0.1/{path}",
        f"https://[::1]/{path}",
        f"http://10.0.0.1/{path}",
        f"http://localhost/{path}",
        f"{base}/api/chat.delete",
        f"file:///{path}",
        "https://",
        "no address",
    ):
        elsewhere = Attachment("a", url, "F1")
        assert await desk.outcome(elsewhere) is Unread.ELSEWHERE, url
    redirects = {
        f"https://example.org/{path}": Unread.UNAVAILABLE,
        "//example.org/": Unread.UNAVAILABLE,
        "http://[": Unread.UNAVAILABLE,
        # Where people sign in.
        "https://acme.slack.com/?redir=%2Ffiles-pri": Unread.NO_SCOPE,
        f"{base}/files-pri/T1-{file.id}/again": Unread.UNAVAILABLE,
    }
    for target, reason in redirects.items():
        desk.slack.files.moved[file.id] = target
        assert await desk.outcome(file) is reason, target
    other = await desk.sent(b"moved")
    desk.slack.files.moved[file.id] = other.url
    assert await desk.fetch(file) == b"moved"
    assert {token for _, token in desk.slack.files.served} == {
        f"Bearer {desk.slack.bot_token}"
    }


async def test_a_download_ends_in_time_and_size(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = await desk.sent(bytes(200_000))
    meanings = {
        Body.ENDLESS: Unread.TOO_LARGE,
        Body.CUT: DeliveryError,
        Body.UNMARKED: DeliveryError,
        Body.STALLED: DeliveryError,
    }
    for body, meaning in meanings.items():
        stall = 0.1 if body is Body.STALLED else 60.0
        monkeypatch.setattr(downloads, "STALL", stall)
        desk.slack.files.bodies[file.id] = body
        assert await desk.outcome(file) is meaning, body
    monkeypatch.setattr(downloads, "STALL", 60.0)
    monkeypatch.setattr(downloads, "WHOLE", 0.1)
    assert await desk.outcome(file) is DeliveryError
    monkeypatch.setattr(downloads, "WHOLE", 60.0)
    del desk.slack.files.bodies[file.id]
    statuses = {
        **dict.fromkeys((401, 403), Unread.NO_SCOPE),
        **dict.fromkeys((404, 410), Unread.DELETED),
        **dict.fromkeys((500, 503), DeliveryError),
        **{429: Throttled, 400: Unread.UNAVAILABLE},
    }
    for status, meaning in statuses.items():
        desk.slack.files.statuses[file.id] = status
        assert await desk.outcome(file) is meaning, status


async def test_a_file_that_was_deleted_is_gone_from_its_message(desk: Desk) -> None:
    file = await desk.sent()
    desk.slack.files.delete(file.id)
    assert await desk.outcome(file) is Unread.DELETED
    tombstone = message_files.attachment({"id": file.id, "mode": "tombstone"})
    assert await desk.outcome(tombstone) is Unread.DELETED
