"""Modals as people use them, and the app's responses (A10)."""

import pytest

from tests.emulators.slack.emulator import SlackEmulator
from tests.emulators.slack.views import TROUBLE
from tests.emulators.slack_app import (
    MODEL,
    MODELS,
    PROMPT,
    App,
    Json,
    asks,
    connected,
    menu,
    modal,
    opened,
    plain,
    refusal,
    section,
    typed,
)


async def test_what_was_filled_in_is_sent_off(
    slack: SlackEmulator, app: App, alice: str, general: str
) -> None:
    bob = slack.add_user("Bob")
    several = {"type": "multi_static_select", "action_id": "g", "options": list(MODELS)}
    view = modal(
        PROMPT,
        asks("name", typed("n"), "Name", optional=True),
        MODEL,
        asks("people", {"type": "multi_users_select", "action_id": "p"}, "People"),
        asks("groups", several, "Groups"),
        section("Also", block_id="also", accessory=menu("extra", *MODELS)),
    )
    answered = await opened(app, alice, general, view)
    sent = slack.submit(
        alice,
        {"prompt": "", "Model": "Haiku", "p": [bob], "Groups": ["Opus", "haiku"]},
    )
    told = await app.told(sent)
    assert (told["type"], told["user"]["id"]) == ("view_submission", alice)
    assert (told["view"]["id"], told["response_urls"]) == (answered["id"], [])
    assert told["view"]["callback_id"] == "settings"
    # A10: null when empty.
    assert told["view"]["state"]["values"] == {
        "prompt": {"text": {"type": "plain_text_input", "value": None}},
        "name": {"n": {"type": "plain_text_input", "value": None}},
        "model": {"model": {"type": "static_select", "selected_option": MODELS[1]}},
        "people": {"p": {"type": "multi_users_select", "selected_users": [bob]}},
        "groups": {
            "g": {"type": "multi_static_select", "selected_options": list(MODELS)}
        },
        "also": {"extra": {"type": "static_select", "selected_option": None}},
    }
    assert slack.modal(alice) is None


async def test_the_client_holds_people_to_the_limits(
    slack: SlackEmulator, app: App, alice: str, general: str
) -> None:
    view = modal(asks("name", typed("n", max_length=5), "Name"), MODEL)
    await opened(app, alice, general, view)
    with pytest.raises(ValueError, match="'Name' needs to be filled in"):
        slack.submit(alice)
    for value, why in (
        ("x" * 6, "holds 5 characters, not 6"),
        ("a\nb", "has one line"),
        (7, "not a text"),
    ):
        with pytest.raises(ValueError, match=why):
            slack.submit(alice, {"name": value})
    with pytest.raises(ValueError, match="is not offered"):
        slack.submit(alice, {"name": "x", "model": "GPT"})
    with pytest.raises(KeyError, match="no input is called"):
        slack.submit(alice, {"nome": "x"})
    with pytest.raises(ValueError, match="no modal open"):
        slack.submit(slack.add_user("Bob"))
    assert [payload for payload in app.heard if "view" in payload] == []
    slack.fill(alice, {"name": "short"})
    await app.told(slack.submit(alice))


async def test_files_are_put_into_a_modal(
    slack: SlackEmulator, app: App, alice: str, general: str
) -> None:
    element = {
        "type": "file_input",
        "action_id": "f",
        "filetypes": ["txt", "md"],
        "max_files": 1,
    }
    await opened(app, alice, general, modal(asks("file", element, "File")))
    with pytest.raises(ValueError, match=r"is none of \['txt', 'md'\]"):
        slack.submit(alice, {"file": [("a.exe", b"x")]})
    with pytest.raises(ValueError, match="no more than 1 files"):
        slack.submit(alice, {"file": [("a.md", b"x"), ("b.md", b"x")]})
    told = await app.told(slack.submit(alice, {"file": [("a.md", b"Be brief.")]}))
    state = told["view"]["state"]["values"]["file"]["f"]
    (file,) = state["files"]
    assert (state["type"], file["name"], file["size"]) == ("file_input", "a.md", 9)
    headers = {"Authorization": f"Bearer {slack.bot_token}"}
    address = file["url_private_download"]
    async with app.session.get(address, headers=headers) as response:
        assert await response.read() == b"Be brief."
    info = await app.web.files_info(file=file["id"])
    assert info["file"]["url_private_download"] == address
    unknown = app.web.files_info(file="F0")
    assert (await refusal(unknown))[0] == "file_not_found"


async def test_errors_keep_the_modal_open(
    slack: SlackEmulator, app: App, alice: str, general: str
) -> None:
    await opened(app, alice, general, modal(PROMPT, MODEL))
    errors = {"prompt": "Too long, by one."}
    app.answer = lambda payload: {"response_action": "errors", "errors": errors}
    await app.told(slack.submit(alice, {"prompt": "x"}))
    shown = slack.modal(alice)
    assert shown is not None
    assert shown.errors == errors
    assert shown.fields[0].value == "x"
    # Errors can only be shown beside inputs of the view.
    app.answer = lambda payload: {"response_action": "errors", "errors": {"x": "No"}}
    await app.told(slack.submit(alice))
    shown = slack.modal(alice)
    assert shown is not None
    assert TROUBLE in shown.errors[""]


@pytest.mark.parametrize(
    "answer",
    [
        {"response_action": "dance"},
        {"response_action": "update"},
        {"response_action": "update", "view": modal(title=plain("x" * 25))},
        {"response_action": "errors", "errors": {}},
    ],
)
async def test_an_answer_that_makes_no_sense_is_trouble(
    slack: SlackEmulator, app: App, alice: str, general: str, answer: Json
) -> None:
    await opened(app, alice, general, modal(PROMPT))
    app.answer = lambda payload: answer
    await app.told(slack.submit(alice))
    shown = slack.modal(alice)
    assert shown is not None
    assert (shown.title, TROUBLE in shown.errors[""]) == ("Settings", True)


async def test_an_answer_that_does_not_come_is_trouble() -> None:
    async with (
        SlackEmulator(ack_timeout=0.05) as slack,
        connected(slack) as app,
    ):
        alice, general = slack.add_user("Alice"), slack.add_channel("general")
        await app.web.views_open(
            trigger_id=slack.command(alice, general, "/claude").payload["trigger_id"],
            view=modal(PROMPT),
        )
        app.deaf = True
        sent = slack.submit(alice)
        await slack.until(lambda: sent.lost)
        # Once only: interactions are not sent again (A2).
        assert len(sent.attempts) == 1
        shown = slack.modal(alice)
        assert shown is not None
        assert shown.errors == {"": TROUBLE}


async def test_answers_update_push_and_clear(
    slack: SlackEmulator, app: App, alice: str, general: str
) -> None:
    await opened(app, alice, general, modal(PROMPT))
    answers = {
        "update": modal(MODEL, title=plain("Updated"), callback_id="update"),
        "push": modal(PROMPT, title=plain("Pushed"), callback_id="push"),
    }

    def titles() -> list[str]:
        return [view.given["title"]["text"] for view in app.slack.views.stack(alice)]

    for action, view in answers.items():
        more = {"response_action": action, "view": view}
        app.answer = lambda payload, more=more: more  # type: ignore[misc]
        await app.told(slack.submit(alice))
    assert titles() == ["Updated", "Pushed"]
    pushed = slack.modal(alice)
    assert pushed is not None
    root = slack.views.stack(alice)[0].id
    assert (pushed.view["root_view_id"], pushed.view["previous_view_id"]) == (
        root,
        root,
    )
    # An empty answer closes the topmost modal, and the other one shows again.
    app.answer = lambda payload: None
    await app.told(slack.submit(alice))
    assert titles() == ["Updated"]
    app.answer = lambda payload: {"response_action": "push", "view": modal(PROMPT)}
    await app.told(slack.submit(alice))
    app.answer = lambda payload: {"response_action": "clear"}
    await app.told(slack.submit(alice))
    assert titles() == []


async def test_closing_is_told_to_whoever_wants_to_know(
    slack: SlackEmulator, app: App, alice: str, general: str
) -> None:
    await opened(app, alice, general, modal(notify_on_close=True))
    told = await app.told(slack.close(alice))
    assert (told["type"], told["is_cleared"]) == ("view_closed", False)
    assert slack.modal(alice) is None
    with pytest.raises(ValueError, match="no modal open"):
        slack.close(alice)


async def test_an_answer_to_a_modal_that_is_closed_changes_nothing(
    slack: SlackEmulator, app: App, alice: str, general: str
) -> None:
    await opened(app, alice, general, modal(PROMPT))
    app.answer = lambda payload: {"response_action": "push", "view": modal()}
    sent = slack.submit(alice)
    slack.close(alice)
    await app.told(sent)
    assert slack.modal(alice) is None


async def test_menus_in_a_modal_tell_at_once_where_they_should(
    slack: SlackEmulator, app: App, alice: str, general: str
) -> None:
    loud = {**MODEL, "block_id": "loud", "dispatch_action": True}
    loud["element"] = {**MODEL["element"], "action_id": "loud"}
    await opened(app, alice, general, modal(MODEL, loud))
    shown = slack.modal(alice)
    assert shown is not None
    told = await app.told(slack.choose_in(shown, alice, "loud", "Haiku"))
    (action,) = told["actions"]
    assert (action["block_id"], action["selected_option"]) == ("loud", MODELS[1])
    values = told["view"]["state"]["values"]
    assert values["loud"]["loud"]["selected_option"] == MODELS[1]
    with pytest.raises(KeyError):
        slack.choose_in(shown, alice, "model", "Haiku")
    with pytest.raises(ValueError, match="does not see"):
        slack.choose_in(shown, slack.add_user("Bob"), "loud", "Opus")
