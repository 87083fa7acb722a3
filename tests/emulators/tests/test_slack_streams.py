"""Native streams, used through the SDK (A7)."""

from typing import Any

import pytest

from tests.emulators.slack.emulator import SlackEmulator
from tests.emulators.slack.world import Seen
from tests.emulators.slack_app import App, Clock, Json, actions, button, refusal


class Talk:
    """A question by Alice in her direct messages, and the app's stream that answers
    it."""

    def __init__(self, slack: SlackEmulator, app: App, alice: str) -> None:
        self.slack = slack
        self.app = app
        self.alice = alice
        self.channel = slack.open_dm(alice)
        self.root = slack.say(alice, self.channel, "hello")
        self.ts = ""

    async def start(self, text: str = "One", **more: Any) -> None:
        """Start the stream."""
        answer = await self.app.web.chat_startStream(
            channel=self.channel,
            thread_ts=self.root,
            chunks=chunks(text),
            **more,
        )
        self.ts = answer["ts"]

    async def append(self, text: str = ", two") -> None:
        """Append text to the stream."""
        await self.app.web.chat_appendStream(
            channel=self.channel, ts=self.ts, chunks=chunks(text)
        )

    async def stop(self, **more: Any) -> None:
        """Stop the stream."""
        await self.app.web.chat_stopStream(channel=self.channel, ts=self.ts, **more)

    async def update(self, text: str = "Anew.") -> None:
        """Edit the message."""
        await self.app.web.chat_update(channel=self.channel, ts=self.ts, text=text)

    @property
    def seen(self) -> Seen:
        """The last message of the thread as Alice sees it."""
        return self.slack.thread(self.channel, self.root)[-1]


@pytest.fixture
def talk(slack: SlackEmulator, app: App, alice: str) -> Talk:
    return Talk(slack, app, alice)


async def refused(call: Any) -> str:
    """Return the error that Slack answers `call` with."""
    return (await refusal(call))[0]


def chunks(text: str) -> list[Json]:
    return [{"type": "markdown_text", "text": text}]


async def test_it_grows_and_ends_with_controls(talk: Talk) -> None:
    await talk.start()
    await talk.append()
    assert (talk.seen.text, talk.seen.streaming) == ("One, two", True)
    metadata = {"event_type": "e", "event_payload": {"turn": "t"}}
    await talk.stop(
        chunks=chunks("."),
        blocks=[actions(button("go", "Go"))],
        metadata=metadata,
    )
    assert (talk.seen.text, talk.seen.streaming) == ("One, two.", False)
    assert talk.seen.buttons == ("go",)
    assert talk.seen.metadata == metadata
    assert [each.text for each in talk.seen.versions] == [
        "One",
        "One, two",
        "One, two.",
    ]


async def test_the_sdks_own_helper_works(talk: Talk) -> None:
    stream = await talk.app.web.chat_stream(
        channel=talk.channel, thread_ts=talk.root, buffer_size=1
    )
    for word in ("One", ", two"):
        await stream.append(markdown_text=word)
    await stream.stop(markdown_text=".")
    assert talk.seen.text == "One, two."


async def test_an_end_that_says_nothing_more_is_one_too(talk: Talk) -> None:
    await talk.start()
    await talk.stop()
    assert (talk.seen.text, talk.seen.streaming) == ("One", False)
    await talk.update()
    assert talk.seen.text == "Anew."


async def test_it_is_not_edited_before_its_end(talk: Talk) -> None:
    await talk.start()
    assert await refused(talk.update()) == "streaming_state_conflict"


async def test_it_ends_by_itself_and_then_looks_unfinished(
    talk: Talk, clock: Clock
) -> None:
    await talk.start()
    clock.ahead += 299
    await talk.append()
    clock.ahead += 1
    for call in (talk.append, talk.stop):
        assert await refused(call()) == "message_not_in_streaming_state"
    assert talk.seen.streaming
    await talk.update()
    assert (talk.seen.text, talk.seen.streaming) == ("Anew.", False)


async def test_it_holds_as_much_as_a_message(talk: Talk) -> None:
    await talk.start("x" * 11_999)
    assert await refused(talk.append("xx")) == "msg_too_long"
    await talk.append("x")
    assert await refused(talk.stop(chunks=chunks("x"))) == "msg_too_long"
    await talk.stop()


async def test_a_person_can_stop_it(talk: Talk) -> None:
    await talk.start()
    talk.slack.streams.press_stop(talk.alice, talk.channel, talk.ts)
    await talk.slack.until(lambda: talk.app.heard and talk.slack.settled)
    event = talk.app.heard[-1]["event"]
    assert event["type"] == "agent_session_stopped"
    assert (event["user"], event["thread_ts"]) == (talk.alice, talk.root)
    assert event["streaming_message_ts"] == [talk.ts]
    assert await refused(talk.append()) == "stopped_by_user"
    await talk.stop()


async def test_in_a_channel_slack_wants_to_know_who_reads_it(
    slack: SlackEmulator, app: App, alice: str, general: str
) -> None:
    talk = Talk(slack, app, alice)
    talk.channel = general
    talk.root = slack.say(alice, general, "hello")
    assert await refused(talk.start()) == "missing_recipient_team_id"
    assert (
        await refused(talk.start(recipient_team_id=slack.team))
        == "missing_recipient_user_id"
    )
    await talk.start(recipient_team_id=slack.team, recipient_user_id=alice)
    assert talk.seen.text == "One"


async def test_some_kinds_of_channels_take_none(talk: Talk) -> None:
    talk.slack.streams.refused.add("im")
    assert await refused(talk.start()) == "channel_type_not_supported"


async def test_there_is_none_outside_a_thread(talk: Talk) -> None:
    talk.root = ""
    assert await refused(talk.start()) == "invalid_thread_ts"


async def test_it_goes_on_as_it_was_begun(talk: Talk) -> None:
    await talk.start()
    append = talk.app.web.chat_appendStream
    mixed = append(channel=talk.channel, ts=talk.ts, markdown_text=", two")
    assert await refused(mixed) == "streaming_mode_mismatch"
    chunk = {"type": "unheard_of"}
    unheard_of = append(channel=talk.channel, ts=talk.ts, chunks=[chunk])
    assert await refused(unheard_of) == "invalid_chunks"


async def test_what_others_said_is_none(talk: Talk) -> None:
    talk.ts = talk.root
    assert await refused(talk.append()) == "message_not_owned_by_app"


async def test_each_of_its_calls_has_a_limit_of_its_own(
    talk: Talk, clock: Clock
) -> None:
    clock.stand()
    for _ in range(10):
        await talk.start()
    assert await refused(talk.start()) == "ratelimited"
    for _ in range(20):
        await talk.append("x")
    assert await refused(talk.append()) == "ratelimited"
    await talk.stop()
