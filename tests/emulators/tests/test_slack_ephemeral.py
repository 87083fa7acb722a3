"""Ephemeral messages and controls of messages, used through the SDK (A8.2, A10)."""

from collections.abc import AsyncIterator

import pytest
from slack_sdk.webhook.async_client import AsyncWebhookClient

from tests.emulators.slack.emulator import SlackEmulator
from tests.emulators.slack.rates import UNLIMITED
from tests.emulators.slack_app import (
    MODELS,
    App,
    Clock,
    Json,
    actions,
    button,
    menu,
    plain,
    refusal,
    section,
)

FEEDBACK = {
    "type": "context_actions",
    "block_id": "opinion",
    "elements": [
        {
            "type": "feedback_buttons",
            "action_id": "feedback",
            "positive_button": {"text": plain("Good"), "value": "up:42"},
            "negative_button": {"text": plain("Bad"), "value": "down:42"},
        }
    ],
}


@pytest.fixture
async def slack(clock: Clock) -> AsyncIterator[SlackEmulator]:
    async with SlackEmulator(clock=clock, ack_timeout=60, rates=UNLIMITED) as slack:
        yield slack


@pytest.fixture
def general(slack: SlackEmulator, alice: str) -> str:
    return slack.add_channel("general", members=[alice])


async def test_an_ephemeral_message_is_for_one_person(
    slack: SlackEmulator, app: App, alice: str, general: str
) -> None:
    bob = slack.add_user("Bob")
    answer = await app.web.chat_postEphemeral(
        channel=general,
        user=alice,
        text="fallback",
        blocks=[section("*Only you*"), actions(button("go", "Go"), menu("m", *MODELS))],
    )
    (whisper,) = slack.ephemerals(alice)
    assert whisper.ts == answer["message_ts"]
    assert (whisper.text, whisper.fallback) == ("*Only you*", "fallback")
    assert (whisper.buttons, whisper.thread_ts) == (("Go",), None)
    assert whisper.selects[0].options == ("Opus", "Haiku")
    assert slack.ephemerals(alice, general) == [whisper]
    assert slack.ephemerals(bob) == slack.ephemerals(alice, "C0") == []
    # No event announces it, and no method finds it.
    await slack.until(lambda: slack.settled)
    assert app.heard == []
    assert slack.world.messages[general] == {}
    change = app.web.chat_update(channel=general, ts=whisper.ts, text="x")
    assert (await refusal(change))[0] == "message_not_found"


async def test_who_can_be_told_something(
    slack: SlackEmulator, app: App, alice: str, general: str
) -> None:
    bob = slack.add_user("Bob")
    to_bob = app.web.chat_postEphemeral(channel=general, user=bob, text="x")
    assert (await refusal(to_bob))[0] == "user_not_in_channel"
    private = slack.add_channel("secret", kind="group", joined=False, members=[alice])
    hidden = app.web.chat_postEphemeral(channel=private, user=alice, text="x")
    assert (await refusal(hidden))[0] == "channel_not_found"
    lost = app.web.chat_postEphemeral(
        channel=general, user=alice, text="x", thread_ts="1.000001"
    )
    assert (await refusal(lost))[0] == "thread_not_found"
    bad = app.web.chat_postEphemeral(
        channel=general, user=alice, text="x", blocks=[{"type": "marquee"}]
    )
    assert (await refusal(bad))[0] == "invalid_blocks"


async def test_in_a_thread_it_shows_only_once_somebody_has_answered(
    slack: SlackEmulator, app: App, alice: str, general: str
) -> None:
    root = slack.say(alice, general, "hello")

    async def whispered(text: str) -> None:
        await app.web.chat_postEphemeral(
            channel=general, user=alice, thread_ts=root, text=text
        )

    await whispered("unseen")
    slack.say(alice, general, "more", thread_ts=root)
    await whispered("seen")
    (whisper,) = slack.ephemerals(alice, general)
    assert (whisper.text, whisper.thread_ts) == ("seen", root)


async def test_controls_of_an_ephemeral_message(
    slack: SlackEmulator, app: App, alice: str, general: str
) -> None:
    root = slack.say(alice, general, "hello")
    slack.say(alice, general, "more", thread_ts=root)
    await app.web.chat_postEphemeral(
        channel=general,
        user=alice,
        thread_ts=root,
        text="x",
        blocks=[actions(button("go", "Go", value="v"), menu("m", *MODELS))],
    )
    (whisper,) = slack.ephemerals(alice)
    told = await app.told(slack.press_in(whisper, alice, "Go"))
    assert told["container"] == {
        "type": "message",
        "message_ts": whisper.ts,
        "channel_id": general,
        "is_ephemeral": True,
        "thread_ts": root,
    }
    assert "message" not in told
    assert told["actions"][0]["value"] == "v"
    told = await app.told(slack.choose(alice, general, whisper.ts, "m", "Haiku"))
    assert told["actions"][0]["selected_option"] == MODELS[1]
    told = await app.told(slack.choose_in(whisper, alice, "m", "Opus"))
    assert told["actions"][0]["selected_option"] == MODELS[0]
    with pytest.raises(ValueError, match="does not see"):
        slack.press_in(whisper, slack.add_user("Bob"), "Go")
    # Its response_url changes and deletes it.
    address = told["response_url"]
    await app.respond(address, replace_original=True, text="Done")
    (whisper,) = slack.ephemerals(alice)
    assert (whisper.text, whisper.buttons) == ("Done", ())
    await app.respond(address, delete_original=True)
    assert slack.ephemerals(alice) == []
    with pytest.raises(ValueError, match="does not see"):
        slack.press_in(whisper, alice, "Go")
    gone = await app.respond(address, replace_original=True, text="x")
    assert gone == (400, {"ok": False, "error": "message_not_found"})


async def test_controls_of_a_message(
    slack: SlackEmulator, app: App, alice: str, general: str
) -> None:
    post = await app.web.chat_postMessage(
        channel=general,
        text="x",
        blocks=[
            section("Model", block_id="s", accessory=menu("m", *MODELS)),
            actions(button("a", "Go"), button("b", "Stop"), block_id="row"),
        ],
    )
    seen = slack.message(general, post["ts"])
    kinds = [(each.kind, each.action, each.block) for each in seen.controls]
    assert kinds == [
        ("static_select", "m", "s"),
        ("button", "a", "row"),
        ("button", "b", "row"),
    ]
    told = await app.told(slack.choose(alice, general, post["ts"], "m", "haiku"))
    (action,) = told["actions"]
    assert action == {
        "type": "static_select",
        "action_id": "m",
        "block_id": "s",
        "action_ts": action["action_ts"],
        "placeholder": plain("Choose"),
        "selected_option": MODELS[1],
    }
    state = told["state"]["values"]["s"]["m"]
    assert state == {"type": "static_select", "selected_option": MODELS[1]}
    assert told["message"]["ts"] == post["ts"]
    assert told["channel"] == {"id": general, "name": "general"}
    told = await app.told(slack.press(alice, general, post["ts"], "Stop"))
    assert told["actions"][0]["action_id"] == "b"
    assert told["state"]["values"]["s"]["m"]["selected_option"] is None
    with pytest.raises(ValueError, match="is not offered"):
        slack.choose(alice, general, post["ts"], "m", "GPT")
    with pytest.raises(KeyError, match="nothing here is called"):
        slack.press(alice, general, post["ts"], "m")
    # With the response_url of a press, the app changes the message itself.
    await app.respond(told["response_url"], replace_original=True, text="Stopped")
    seen = slack.message(general, post["ts"])
    assert (seen.text, seen.controls) == ("Stopped", ())


async def test_a_name_that_fits_two_controls_is_nobodys(
    slack: SlackEmulator, app: App, alice: str, general: str
) -> None:
    rows = [actions(button("a", "Go")), actions(button("b", "Go"))]
    post = await app.web.chat_postMessage(channel=general, text="x", blocks=rows)
    with pytest.raises(ValueError, match="2 things here"):
        slack.press(alice, general, post["ts"], "Go")
    told = await app.told(slack.press(alice, general, post["ts"], "a"))
    # A block without a block_id gets one.
    assert told["actions"][0]["block_id"]


async def test_readers_say_what_they_think(
    slack: SlackEmulator, app: App, alice: str, general: str
) -> None:
    post = await app.web.chat_postMessage(
        channel=general, text="x", blocks=[section("Answer"), FEEDBACK]
    )
    seen = slack.message(general, post["ts"])
    assert (seen.feedback, seen.text) == (True, "Answer")
    for good, value in ((True, "up:42"), (False, "down:42")):
        sent = slack.press_feedback(alice, general, post["ts"], good)
        (action,) = (await app.told(sent))["actions"]
        # A8.2.
        assert action == {
            "type": "feedback_buttons",
            "action_id": "feedback",
            "block_id": "opinion",
            "value": value,
            "action_ts": action["action_ts"],
        }
    bare = slack.say(alice, general, "no opinion")
    assert not slack.message(general, bare).feedback
    with pytest.raises(KeyError, match="does not ask"):
        slack.press_feedback(alice, general, bare, True)


async def test_a_response_url_is_good_for_five_messages(
    slack: SlackEmulator, app: App, clock: Clock, alice: str, general: str
) -> None:
    address = (await app.told(slack.command(alice, general, "/claude")))["response_url"]
    hook = AsyncWebhookClient(address, session=app.session)
    for number in range(5):
        response = await hook.send(text=str(number))
        assert response.status_code == 200
    assert (await hook.send(text="6")).status_code == 404
    texts = [whisper.text for whisper in slack.ephemerals(alice, general)]
    assert texts == ["0", "1", "2", "3", "4"]
    assert [post.outcome for post in slack.hooks.posts] == ["ok"] * 5 + ["used_url"]
    late = (await app.told(slack.command(alice, general, "/claude")))["response_url"]
    clock.ahead += 30 * 60 + 1
    assert (await app.respond(late, text="x"))[1]["error"] == "expired_url"
    forged = late.rpartition("/")[0] + "/hook0"
    assert (await app.respond(forged, text="x"))[0] == 404


async def test_a_response_url_writes_where_its_person_is(
    slack: SlackEmulator, app: App, alice: str, general: str
) -> None:
    elsewhere = slack.add_channel("elsewhere", joined=False, members=[alice])
    root = slack.say(alice, elsewhere, "hello")
    slack.say(alice, elsewhere, "more", thread_ts=root)
    sent = slack.shortcut(alice, elsewhere, root, "thread_settings")
    address = (await app.told(sent))["response_url"]
    status, _ = await app.respond(
        address, response_type="in_channel", thread_ts=root, text="for all"
    )
    assert status == 200
    said = slack.thread(elsewhere, root)[-1]
    assert (said.author, said.text) == ("threadkeep", "for all")
    await app.respond(address, thread_ts=root, blocks=[section("for one")])
    (whisper,) = slack.ephemerals(alice, elsewhere)
    assert (whisper.text, whisper.thread_ts) == ("for one", root)
    wrong: list[tuple[Json, str]] = [
        ({"text": " "}, "no_text"),
        ({"text": "x", "thread_ts": "1.000001"}, "thread_not_found"),
        ({"blocks": [{"type": "marquee"}]}, "invalid_blocks"),
    ]
    for body, error in wrong:
        status, answer = await app.respond(address, **body)
        assert (status, answer["error"]) == (400, error)


@pytest.mark.parametrize("kind", ["ephemeral", "in_channel"])
async def test_a_command_is_answered_with_its_ack(
    slack: SlackEmulator, app: App, alice: str, general: str, kind: str
) -> None:
    app.answer = lambda payload: {"response_type": kind, "text": "Nothing is set."}
    await app.told(slack.command(alice, general, "/claude", "settings"))
    seen = [whisper.text for whisper in slack.ephemerals(alice, general)]
    said = [message.text for message in slack.world.messages[general].values()]
    here, there = ([], seen) if kind == "ephemeral" else (seen, said)
    assert (here, there) == ([], ["Nothing is set."])
