"""Validation of modals by the Slack emulator, used through the SDK (A5.4, A10)."""

from typing import Any

from tests.emulators.slack.emulator import SlackEmulator
from tests.emulators.slack_app import (
    MODEL,
    MODELS,
    PROMPT,
    App,
    Clock,
    Json,
    actions,
    asks,
    button,
    menu,
    modal,
    opened,
    option,
    plain,
    refusal,
    section,
    trigger,
    typed,
)


async def test_a_command_opens_a_modal(
    slack: SlackEmulator, app: App, alice: str, general: str
) -> None:
    assert slack.modal(alice) is None
    metadata = '{"channel": "C1"}'
    view = modal(
        section("*Who* may"), PROMPT, MODEL, private_metadata=metadata, close=None
    )
    answered = await opened(app, alice, general, view)
    shown = slack.modal(alice)
    assert shown is not None
    assert (shown.id, shown.view) == (answered["id"], answered)
    assert (shown.title, shown.submit, shown.close) == ("Settings", "Save", "")
    assert (shown.callback_id, shown.private_metadata) == ("settings", metadata)
    assert shown.text == "*Who* may\nPrompt\nModel"
    prompt, model = shown.fields
    assert (prompt.block_id, prompt.action_id) == ("prompt", "text")
    assert (prompt.value, prompt.max_length) == ("Be brief.", 3_000)
    assert (prompt.required, prompt.multiline) == (False, True)
    assert (model.value, model.options) == ("Opus", ("Opus", "Haiku"))
    assert model.required
    assert answered["root_view_id"] == answered["id"]
    assert answered["app_id"] == slack.world.app
    assert slack.modal(slack.add_user("Bob")) is None


async def test_a_trigger_is_good_for_three_seconds_and_one_view(
    app: App, clock: Clock, alice: str, general: str
) -> None:
    name = await trigger(app, alice, general)
    await app.web.views_open(trigger_id=name, view=modal())
    again = app.web.views_open(trigger_id=name, view=modal())
    assert (await refusal(again))[0] == "exchanged_trigger_id"
    name = await trigger(app, alice, general)
    clock.ahead += 60.1
    late = app.web.views_open(trigger_id=name, view=modal())
    assert (await refusal(late))[0] == "expired_trigger_id"
    forged = app.web.views_open(trigger_id="1.2.3", view=modal())
    assert (await refusal(forged))[0] == "invalid_trigger_id"


LIMITS: list[tuple[Json, str]] = [
    (modal(title=plain("x" * 25)), "1 to 24 characters [json-pointer:/view/title]"),
    (modal(submit=plain("x" * 25)), "1 to 24 characters"),
    (modal(close=plain("x" * 25)), "1 to 24 characters"),
    (modal(title={"type": "mrkdwn", "text": "x"}), "plain_text object"),
    (modal(title=None), "missing required field: title"),
    (modal(callback_id="x" * 256), "less than 256"),
    (modal(private_metadata="x" * 3_001), "less than 3001"),
    (modal(blocks=[]), "at least 1 block"),
    (modal(*[{"type": "divider"}] * 101), "no more than 100"),
    (modal(PROMPT, submit=None), "missing required field: submit"),
    (modal(type="home"), "type modal"),
    (modal({"type": "markdown", "text": "*x*"}), "unsupported type: markdown"),
    (modal({"type": "context_actions", "elements": []}), "unsupported type"),
    (modal({**PROMPT, "label": None}), "label: must be a plain_text object"),
    (modal(asks("a", button("b", "B"))), "unsupported type: button"),
    (modal(asks("a", typed("b", max_length=3_001))), "max_length must be 1 to 3000"),
    (modal(asks("a", typed("b", initial_value="x" * 3_001))), "less than 3001"),
    (
        modal(asks("a", typed("b", initial_value="xxx", max_length=2))),
        "initial_value must be less than 3",
    ),
    (modal(asks("a", menu("b"))), "1 to 100 options"),
    (modal(asks("a", menu("b", *MODELS * 51))), "1 to 100 options"),
    (modal(asks("a", menu("b", option("v", "x" * 76)))), "1 to 75 characters"),
    (modal(asks("a", menu("b", option("v" * 151, "x")))), "value must have 1 to 150"),
    (
        modal(asks("a", menu("b", *MODELS, initial_option=option("opus", "Opera")))),
        "exactly match one of the options",
    ),
    (
        modal(asks("a", {"type": "file_input", "action_id": "b", "max_files": 11})),
        "max_files must be 1 to 10",
    ),
    (modal(PROMPT, PROMPT), "not unique"),
]


async def test_a_view_beyond_the_limits_is_refused(
    app: App, alice: str, general: str, clock: Clock
) -> None:
    for view, why in LIMITS:
        # The rate limit allows fewer calls a minute than there are views.
        clock.ahead += 60.0
        # By `api_call`, because the SDK's method drops None.
        view = {name: value for name, value in view.items() if value is not None}
        name = await trigger(app, alice, general)
        error, message = await refusal(app.web.views_open(trigger_id=name, view=view))
        assert error == "invalid_arguments", why
        assert why in message, why
        assert app.slack.modal(alice) is None, why


async def test_a_view_may_use_its_limits_up(
    slack: SlackEmulator, app: App, alice: str, general: str
) -> None:
    full = typed("b", max_length=3_000, initial_value="x" * 3_000)
    options = [option("v" * 150, "x" * 75)] * 100
    view = modal(
        asks("a", full),
        asks("m", menu("c", *options)),
        *[{"type": "divider"}] * 98,
        title=plain("x" * 24),
        private_metadata="x" * 3_000,
    )
    await opened(app, alice, general, view)
    assert slack.modal(alice)
    large = modal(*[section("x" * 3_000)] * 84)
    late = opened(app, alice, general, large)
    assert (await refusal(late))[0] == "view_too_large"


async def test_views_are_pushed_three_deep_from_inside(
    slack: SlackEmulator, app: App, alice: str, general: str
) -> None:
    view = modal(actions(button("more", "More")))
    await opened(app, alice, general, view)

    async def push() -> Any:
        shown = slack.modal(alice)
        assert shown is not None
        told = await app.told(slack.press_in(shown, alice, "More"))
        assert told["container"] == {"type": "view", "view_id": shown.id}
        assert told["view"]["id"] == shown.id
        assert "response_url" not in told
        return app.web.views_push(trigger_id=told["trigger_id"], view=view)

    await (await push())
    await (await push())
    assert (await refusal(await push()))[0] == "push_limit_reached"
    outside = await trigger(app, alice, general)
    pushed = app.web.views_push(trigger_id=outside, view=view)
    assert (await refusal(pushed))[0] == "not_found"
    assert slack.close(alice) is None
    assert len(slack.views.stack(alice)) == 2


async def test_a_view_is_updated_unless_somebody_was_faster(
    slack: SlackEmulator, app: App, alice: str, general: str
) -> None:
    view = await opened(app, alice, general, modal(PROMPT, MODEL))
    slack.fill(alice, {"prompt": "Typed."})
    changed = modal({**PROMPT, "label": plain("New")}, title=plain("Changed"))
    place = {"view_id": view["id"], "hash": view["hash"]}
    answer = await app.web.views_update(**place, view=changed)
    assert answer["view"]["hash"] != view["hash"]
    again = app.web.views_update(**place, view=changed)
    assert (await refusal(again))[0] == "hash_conflict"
    shown = slack.modal(alice)
    assert shown is not None
    # Typed text stays in an input whose block_id and action_id stay.
    assert (shown.title, shown.text) == ("Changed", "New")
    assert [field.value for field in shown.fields] == ["Typed."]
    await app.web.views_update(view_id=view["id"], view=modal(MODEL))
    slack.close(alice)
    gone = app.web.views_update(view_id=view["id"], view=modal())
    assert (await refusal(gone))[0] == "not_found"


async def test_a_view_is_known_by_the_apps_own_name(
    slack: SlackEmulator, app: App, alice: str, general: str
) -> None:
    await opened(app, alice, general, modal(external_id="mine"))
    twice = opened(app, slack.add_user("Bob"), general, modal(external_id="mine"))
    assert (await refusal(twice))[0] == "duplicate_external_id"
    changed = modal(title=plain("Changed"), external_id="mine")
    await app.web.views_update(external_id="mine", view=changed)
    shown = slack.modal(alice)
    assert shown is not None
    assert shown.title == "Changed"
