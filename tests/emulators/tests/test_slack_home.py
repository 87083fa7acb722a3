"""The home tab of the Slack emulator, used through the SDK (A1.4, A10)."""

import pytest

from tests.emulators.slack.emulator import SlackEmulator
from tests.emulators.slack_app import (
    MODELS,
    PROMPT,
    App,
    actions,
    asks,
    button,
    home,
    menu,
    modal,
    plain,
    refusal,
    section,
)


async def test_the_home_tab_is_published_and_used(
    slack: SlackEmulator, app: App, alice: str
) -> None:
    assert (slack.home(alice), slack.page(alice)) == (None, None)
    slack.open_home(alice)
    await slack.until(lambda: app.heard and slack.settled)
    first = app.heard[0]["event"]
    assert (first["type"], first["tab"], first["user"]) == (
        "app_home_opened",
        "home",
        alice,
    )
    assert first["channel"] == slack.open_dm(alice)
    assert "view" not in first
    view = home(
        {"type": "header", "text": plain("Claude")},
        section("*Model*", accessory=menu("model", *MODELS)),
        actions(button("edit", "Edit", value="set prompt")),
    )
    answer = await app.web.views_publish(user_id=alice, view=view)
    page = slack.page(alice)
    assert page is not None
    assert page.text == "Claude\n*Model*"
    assert page.buttons == ("Edit",)
    assert page.selects[0].options == ("Opus", "Haiku")
    assert slack.home(alice) == answer["view"] == page.view
    told = await app.told(slack.press_in(page, alice, "Edit"))
    assert told["actions"][0]["value"] == "set prompt"
    assert told["container"] == {"type": "view", "view_id": page.id}
    assert not {"channel", "message", "response_url"} & told.keys()
    await app.web.views_open(trigger_id=told["trigger_id"], view=modal(PROMPT))
    assert slack.modal(alice)
    told = await app.told(slack.choose_in(page, alice, "model", "Haiku"))
    assert told["actions"][0]["selected_option"] == MODELS[1]
    slack.open_home(alice)
    await slack.until(lambda: slack.settled)
    assert app.heard[-1]["event"]["view"]["id"] == page.id
    assert slack.home(slack.add_user("Bob")) is None


async def test_what_cannot_be_published(
    slack: SlackEmulator, app: App, alice: str
) -> None:
    for view, why in (
        (modal(), "must be of type home"),
        (home({"type": "markdown", "text": "x"}), "unsupported type: markdown"),
        (home(asks("a", {"type": "file_input", "action_id": "f"})), "file_input"),
        ({**home(section("x")), "submit": plain("Save")}, "has no submit"),
    ):
        error, message = await refusal(app.web.views_publish(user_id=alice, view=view))
        assert (error, why in message) == ("invalid_arguments", True)
    nobody = app.web.views_publish(user_id="U0", view=home(section("x")))
    assert (await refusal(nobody))[0] == "invalid_arguments"
    answer = await app.web.views_publish(user_id=alice, view=home(section("x")))
    mark = answer["view"]["hash"]
    later = home(section("y"))
    await app.web.views_publish(user_id=alice, view=later, hash=mark)
    stale = app.web.views_publish(user_id=alice, view=later, hash=mark)
    assert (await refusal(stale))[0] == "hash_conflict"
    slack.views.home_tab = False
    off = app.web.views_publish(user_id=alice, view=later)
    assert (await refusal(off))[0] == "not_enabled"
    with pytest.raises(ValueError, match="no home tab"):
        slack.open_home(alice)


async def test_views_have_a_limit_of_their_own(slack: SlackEmulator, app: App) -> None:
    # A5.1: tier 4, with a burst of 20 in the emulator.
    bob = slack.add_user("Bob")
    for _ in range(20):
        await app.web.views_publish(user_id=bob, view=home(section("x")))
    late = app.web.views_publish(user_id=bob, view=home(section("x")))
    assert (await refusal(late))[0] == "ratelimited"
