"""If Slack refuses the layout of a form or page, its text is shown anyway."""

import asyncio

import pytest

from adapters.slack import interactions
from tests.adapters.slack.test_admin import Admins, admins
from tests.emulators.slack.faults import error

__all__ = ["admins"]

HOLDS = "This is what it holds:"


async def test_a_form_that_slack_refuses_is_shown_as_text(admins: Admins) -> None:
    admins.slack.faults.add("views.open", error("invalid_arguments"))
    admins.slack.command(admins.olga, admins.general, "/claude", "prompt")
    await admins.slack.until(lambda: admins.slack.modal(admins.olga))
    shown = admins.slack.modal(admins.olga)
    assert shown is not None
    assert HOLDS in shown.text
    assert "System prompt: Be brief." in shown.text
    assert (shown.submit, shown.fields) == ("", ())


async def test_where_no_form_is_taken_its_text_is_the_response(admins: Admins) -> None:
    admins.slack.faults.add("views.open", error("invalid_blocks"), times=2)
    admins.slack.command(admins.olga, admins.general, "/claude", "prompt")
    await admins.slack.until(lambda: admins.slack.ephemerals(admins.olga))
    told = admins.slack.ephemerals(admins.olga)[-1].text
    assert HOLDS in told
    assert "System prompt: Be brief." in told


async def test_a_home_tab_that_slack_refuses_is_shown_as_text(admins: Admins) -> None:
    admins.slack.faults.add("views.publish", error("view_too_large"))
    admins.slack.open_home(admins.olga)
    await admins.slack.until(lambda: admins.slack.page(admins.olga))
    page = admins.slack.page(admins.olga)
    assert page is not None
    assert "Settings of" in page.text
    assert page.selects == ()


async def test_a_late_result_that_slack_refuses_is_shown_as_text(
    admins: Admins, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = asyncio.Event()
    admins.model.script(gate, "Arr & Paris.")
    admins.slack.command(admins.olga, admins.general, "/claude", "prompt try")
    await admins.modal(admins.olga, "Try a prompt")
    monkeypatch.setattr(interactions, "PROMPT", 0.2)
    filled: dict[str, object] = {"prompt:0": "Pirate.", "question": "The capital?"}
    await admins.submitted(admins.olga, filled)
    admins.slack.faults.add("views.update", error("invalid_arguments"))
    gate.set()

    def shown() -> bool:
        modal = admins.slack.modal(admins.olga)
        return modal is not None and "Arr & Paris." in modal.text

    await admins.slack.until(shown)
