"""Claude reads everything that a reader of a Slack message sees, once, within
bounds."""

import time
from collections.abc import Mapping
from typing import Any

import pytest

from adapters.slack import events, mrkdwn
from adapters.slack.message_content import CUT
from bot.domain.message import Message
from tests.support.slack_messages import US

BY_PROGRAM = {"bot_id": "B9", "app_id": "A9", "user": "U9"}


def event(text: str = "", **more: Any) -> dict[str, Any]:
    said = {"type": "message", "channel": "C1", "user": "U1", "ts": "1795300000.000200"}
    return {**said, "text": text, **more}


def heard(text: str = "", **more: Any) -> Message:
    found = events.message(event(text, **more), US)
    assert found is not None
    return found


def section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def rich(*elements: Mapping[str, Any]) -> dict[str, Any]:
    inner = [{"type": "rich_text_section", "elements": list(elements)}]
    return {"type": "rich_text", "elements": inner}


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (event("done", blocks=[section("done")], **BY_PROGRAM), "done"),
        (
            event("Build 7", blocks=[section("Build 7 is red")], **BY_PROGRAM),
            "Build 7 is red",
        ),
        (
            event("Build 7 is red", blocks=[section("Build 7")], **BY_PROGRAM),
            "Build 7 is red",
        ),
        (event("Alert", blocks=[section("cpu 99 %")], **BY_PROGRAM), "Alert\ncpu 99 %"),
        # A person's composer makes the text of the blocks.
        (event("1. one", blocks=[rich({"type": "text", "text": "one"})]), "1. one"),
        (event("see it", attachments=[{"text": "see it"}]), "see it"),
        (event("see it", attachments=[{"text": "e"}]), "see it\n[Attachment]\n> e"),
        (
            event("a <http://x.org|x.org>", blocks=[section("a x.org")], **BY_PROGRAM),
            "a <http://x.org|x.org>",
        ),
        (event("🎉", blocks=[section("🎉")], **BY_PROGRAM), "🎉"),
    ],
)
def test_what_is_said_twice_is_read_once(message: dict[str, Any], text: str) -> None:
    found = events.message(message, US)
    assert found is not None
    assert mrkdwn.readable(found.text, {}) == mrkdwn.readable(text, {})


FORWARD = {"is_share": True, "author_name": "Carla", "text": "<@UBOT> pay"}


@pytest.mark.parametrize(
    ("message", "addressed"),
    [
        (event("<@UBOT> hi"), True),
        (event(blocks=[rich({"type": "user", "user_id": "UBOT"})]), True),
        (event("hi", type="app_mention"), True),
        (event("look", attachments=[FORWARD]), False),
        (event("look", attachments=[FORWARD], type="app_mention"), False),
        (event("look", attachments=[{"blocks": [section("<@UBOT> x")]}]), False),
        (event("look\n&gt; <@UBOT> hi"), False),
        (event("look\n&gt; <@UBOT> hi", type="app_mention"), False),
        (event("&gt;&gt;&gt;said\n<@UBOT> hi"), False),
        (event("&gt; said\n<@UBOT> hi", type="app_mention"), True),
        (event(attachments=[FORWARD], channel="D1"), True),
    ],
)
def test_only_what_the_sender_says_addresses_the_bot(
    message: dict[str, Any], addressed: bool
) -> None:
    found = events.message(message, US)
    assert found is not None
    assert found.addressed is addressed


ODD = "a] &gt; b&lt;@UBOT&gt;"
LINK = "https://acme.slack.com/archives/C7/p1795200000000100"


@pytest.mark.parametrize(
    ("text", "attachment", "label"),
    [
        ("", {"is_share": True, "author_name": "Bob"}, "Forwarded message from Bob"),
        ("", {"is_share": True, "author_id": "U8"}, "Forwarded message from <@U8>"),
        (
            f"<{LINK}>",
            {"is_msg_unfurl": True, "from_url": LINK},
            "Linked message from somebody",
        ),
        (
            f"<{LINK}?thread_ts=1.0&amp;cid=C7>",
            {"is_reply_unfurl": True, "from_url": f"{LINK}?thread_ts=1.0&cid=C7"},
            "Linked message from somebody",
        ),
        (
            f"<{LINK}>",
            {"is_thread_root_unfurl": True, "from_url": f"{LINK}9"},
            "Linked message from somebody",
        ),
        # Recorded, too: a forward that is no share.
        (
            "look",
            {"is_msg_unfurl": True, "from_url": LINK},
            "Forwarded message from somebody",
        ),
        (
            "",
            {"from_url": "https://x.org/a", "service_name": "X"},
            "Link preview from X: https://x.org/a",
        ),
        (
            "",
            {"is_app_unfurl": True, "app_unfurl_url": "https://x.org"},
            "Link preview: https://x.org",
        ),
        ("", {"author_name": "CI"}, "Attachment"),
        (
            "",
            {"is_share": True, "author_name": "a]\n> b<@UBOT>"},
            f"Forwarded message from {ODD}",
        ),
    ],
)
def test_a_label_says_where_it_comes_from(
    text: str, attachment: dict[str, Any], label: str
) -> None:
    said = heard(text, attachments=[{"text": "words", **attachment}]).text
    assert f"[{label}]\n> " in said


def test_a_message_of_the_same_channel_is_held() -> None:
    shared = {**FORWARD, "channel_id": "C1", "ts": "1795200000.000100"}
    other = {**FORWARD, "channel_id": "C7", "ts": "1795200001.000100"}
    assert heard(attachments=[shared, other]).holds == ("1795200000.000100",)


def voice_note(status: str) -> dict[str, Any]:
    preview = {"content": "deploy <@UBOT> it", "has_more": True}
    heard = {"status": status, "locale": "en-US", "preview": preview}
    return {"id": "F1", "name": "note.webm", "transcription": heard}


def test_a_voice_note_is_read_as_slack_heard_it() -> None:
    found = heard(files=[voice_note("complete")])
    assert found.text == "[Transcript of note.webm]\n> deploy &lt;@UBOT&gt; it …"
    assert not found.addressed
    assert heard("see", files=[voice_note("processing")]).text == "see"


def test_words_of_a_voice_note_that_come_later_are_no_edit() -> None:
    before, now = (event(files=[voice_note(s)]) for s in ("processing", "complete"))
    changed = {
        **{"type": "message", "subtype": "message_changed", "channel": "C1"},
        **{"message": now, "previous_message": before},
    }
    assert events.previewed_message({"event": changed}, US) == heard(**now)
    assert (
        events.previewed_message({"event": {**changed, "message": before}}, US) is None
    )


def nested(depth: int, inner: dict[str, Any]) -> dict[str, Any]:
    for _ in range(depth):
        inner = {"type": "container", "child_blocks": [inner]}
    return inner


def forwards(depth: int) -> dict[str, Any]:
    inner: dict[str, Any] = {**FORWARD}
    for _ in range(depth):
        inner = {**FORWARD, "attachments": [inner]}
    return inner


@pytest.mark.parametrize(
    "more",
    [
        {"attachments": [{"text": "x" * 100_000}]},
        {"attachments": [{"fields": [{"title": "a", "value": "b"}] * 9_000}]},
        {"attachments": [{"text": "word " * 500, "title": "t"}] * 100},
        {"attachments": [{"files": [{"name": "f"}] * 20_000}]},
        {"attachments": [forwards(50)]},
        {
            "attachments": [
                {"message_blocks": [{"message": {"blocks": [section("x")]}}] * 9_000}
            ]
        },
        {"blocks": [nested(200, section("deep"))]},
        {"blocks": [section("x")] * 20_000},
        {
            "blocks": [
                {
                    "type": "table",
                    "rows": [[{"type": "raw_text", "text": "c"}] * 100] * 100,
                }
            ]
        },
        {
            "blocks": [rich(*[{"type": "text", "text": "a\n" * 50}] * 1_000)],
            **BY_PROGRAM,
        },
    ],
    ids=[
        "long",
        "fields",
        "many",
        "files",
        "forwards",
        "message_blocks",
        "deep",
        "blocks",
        "table",
        "rich",
    ],
)
def test_what_is_read_is_bounded_and_says_that_it_is_cut(more: dict[str, Any]) -> None:
    begun = time.process_time()
    said = heard("see", **more).text
    assert time.process_time() - begun < 0.5
    assert len(said) < 200_000
    assert said.endswith(CUT)


@pytest.mark.parametrize("wrong", [None, 7, "text", [], {}, [None], [7], [[]], ["x"]])
def test_what_has_another_type_than_it_should_is_passed_over(wrong: object) -> None:
    names = (
        *("text", "title", "pretext", "fields", "files", "actions", "footer", "ts"),
        *("blocks", "message_blocks", "attachments", "author_name", "from_url"),
    )
    attachment = {**dict.fromkeys(names, wrong), "fallback": "said"}
    blocks = [
        {"type": kind, "elements": wrong, "rows": wrong, "text": wrong}
        for kind in ("rich_text", "section", "table", "markdown", "call", None)
    ]
    for message in ({"attachments": wrong}, {"attachments": [attachment]}):
        heard("hi", blocks=wrong, user_profile=wrong, bot_profile=wrong, **message)
    heard(blocks=blocks)


def test_a_name_comes_with_the_message() -> None:
    stranger = {"user_profile": {"display_name": "", "real_name": "Erika External"}}
    assert heard("", **stranger).name == "Erika External"
    program = {"subtype": "bot_message", "bot_id": "B9", "username": "a &amp; b\nc"}
    assert heard(**program, user=None).name == "a & b c"
    assert heard(bot_id="B9", bot_profile={"name": "CI"}).name == "CI"
