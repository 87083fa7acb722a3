"""Facts from Slack's events, whose shapes are those of the platform facts, A1."""

from typing import Any

import pytest

from adapters.slack import events
from adapters.slack.client import Identity
from bot.domain.attachment import Attachment
from bot.domain.message import Mark, MarkKind, Message
from bot.domain.scope import ThreadKey

US = Identity("T1", "Acme", "UBOT", "threadkeep", "B1", frozenset())
TS, ROOT = "1795300000.000200", "1795290000.000100"


def read(**event: Any) -> Message | None:
    return events.read({"team_id": "T1", "event": event}, US)


def said(**more: Any) -> dict[str, Any]:
    return {
        "type": "message",
        "channel": "C5",
        "channel_type": "channel",
        "user": "U7",
        "text": "hello",
        "ts": TS,
        **more,
    }


def test_a_root_message_opens_its_own_thread() -> None:
    assert read(**said(text="<@UBOT> hello")) == Message(
        thread=ThreadKey("slack", "T1", "C5", TS),
        message=TS,
        at=1795300000.0002,
        author="U7",
        text="<@UBOT> hello",
        addressed=True,
        opens=True,
        parts=(Mark(MarkKind.BOT, "UBOT"), " hello"),
    )


def test_a_mention_reads_the_same_from_both_its_events() -> None:
    message = said(text="<@UBOT> hello", thread_ts=ROOT, parent_user_id="U8")
    mention = {k: v for k, v in message.items() if k != "channel_type"}
    assert read(**message) == read(**{**mention, "type": "app_mention"})


def test_a_reply_belongs_to_its_root() -> None:
    heard = read(**said(thread_ts=ROOT))
    assert heard is not None
    assert heard.thread.thread == ROOT
    assert not heard.opens
    assert not heard.addressed


def test_a_direct_message_needs_no_mention() -> None:
    heard = read(**said(channel="D5", channel_type="im"))
    assert heard is not None
    assert heard.addressed
    assert heard.opens


def test_a_group_message_needs_one() -> None:
    heard = read(**said(channel="G5", channel_type="mpim"))
    assert heard is not None
    assert not heard.addressed


@pytest.mark.parametrize("mark", [{"user": "UBOT"}, {"user": "U9", "bot_id": "B1"}])
def test_knows_its_own_voice(mark: dict[str, str]) -> None:
    heard = read(**said(**mark))
    assert heard is not None
    assert heard.echo


@pytest.mark.parametrize(
    ("now", "is_own"),
    [
        (said(user="UBOT"), True),
        (said(user="U9", bot_id="B1", subtype="bot_message"), True),
        (said(), False),
        (said(bot_id="B9", subtype="bot_message"), False),
        # The root of a thread that was deleted.
        (said(user="UBOT", subtype="tombstone"), False),
    ],
)
def test_knows_edits_of_its_own(now: dict[str, Any], is_own: bool) -> None:
    event = {"type": "message", "subtype": "message_changed", "hidden": True}
    body = {"event": {**event, "channel": "C1", "message": now}}
    assert events.is_own_edit(body, US) is is_own
    assert not events.is_own_edit({"event": now}, US)
    if is_own:
        assert events.edited_message(body, US) is None
        assert events.previewed_message(body, US) is None
        assert events.deleted_message(body) is None


def test_knows_other_programs() -> None:
    heard = read(**said(subtype="bot_message", bot_id="B9", user=None))
    assert heard is not None
    assert heard.automated
    assert not heard.echo
    assert heard.author == "B9"


def test_names_the_files() -> None:
    at = "https://files.slack.com/a.png"
    files = [
        {"id": "F1", "name": "a.png", "size": 9, "url_private": at, "mimetype": "x"},
        {"id": "F2", "size": "many"},
    ]
    heard = read(**said(subtype="file_share", files=files, text=""))
    assert heard is not None
    assert heard.files == (
        Attachment("a.png", at, "F1", 9),
        Attachment("a file", id="F2"),
    )


@pytest.mark.parametrize(
    "event",
    [
        said(subtype="channel_join"),
        said(subtype="message_changed", hidden=True, message=said()),
        said(subtype="message_deleted", hidden=True, deleted_ts=TS),
        said(subtype="tombstone"),
        {"type": "reaction_added", "user": "U7"},
        {"type": "message"},
        {},
    ],
)
def test_hears_nothing_in_anything_else(event: dict[str, Any]) -> None:
    assert read(**event) is None


@pytest.mark.parametrize(
    ("old", "new", "moved"),
    [("C1", "C2", ("C1", "C2")), ("C1", "C1", None), ("C1", None, None)],
)
def test_a_channel_moves_to_another_id(
    old: str, new: str | None, moved: tuple[str, str] | None
) -> None:
    event = {"type": "channel_id_changed", "old_channel_id": old, "new_channel_id": new}
    assert events.moved_channel({"event": event}) == moved


def test_an_envelope_without_an_event_says_nothing() -> None:
    assert events.read({"type": "app_rate_limited"}, US) is None
