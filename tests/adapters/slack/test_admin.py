"""Actions of admins in Slack, through the real SDKs, as they and others see them."""

import asyncio
import re

import pytest

from adapters.slack import interactions
from adapters.slack.members import FRESH
from bot.domain.completion import Report, Usage
from bot.domain.scope import EVERYWHERE
from bot.messages import controls as messages
from bot.messages.commands import UNKNOWN
from tests.adapters.slack.conftest import Office
from tests.adapters.slack.conftest import shared_office as office
from tests.emulators.slack.emulator import SlackEmulator
from tests.emulators.slack.ephemeral import Whisper
from tests.emulators.slack.screens import Home, Modal
from tests.support.memory_store import MemoryStore
from tests.support.process import running
from tests.support.scripted_model import ScriptedModel

__all__ = ["office"]


class Admins(Office):
    """An office with somebody in it who runs the workspace."""

    olga: str

    async def modal(self, user: str, title: str = "") -> Modal:
        """Wait for a modal on somebody's screen."""
        await self.slack.until(
            lambda: (
                (modal := self.slack.modal(user)) is not None and title in modal.title
            )
        )
        modal = self.slack.modal(user)
        assert modal is not None
        return modal

    async def whispered(self, user: str, count: int = 1) -> Whisper:
        """Wait until somebody was shown `count` messages alone; the last one."""
        await self.slack.until(lambda: len(self.slack.ephemerals(user)) >= count)
        return self.slack.ephemerals(user)[-1]

    async def typed(self, user: str, text: str, channel: str = "") -> str:
        """Type `/claude …` as `user`; return the response."""
        done = self.slack.command(user, channel or self.general, "/claude", text)
        await self.slack.until(lambda: done.acked)
        assert done.answer is not None, "no answer"
        return self.slack.ephemerals(user)[-1].text

    async def submitted(self, user: str, values: dict[str, object]) -> Modal | None:
        """Fill a form in and send it off; what shows then."""
        sent = self.slack.submit(user, values)
        await self.slack.until(lambda: sent.acked or sent.lost)
        assert sent.acked
        return self.slack.modal(user)

    async def saved(self, user: str, values: dict[str, object]) -> Whisper:
        """Fill a form in and send it off, which closes it; the line that tells so."""
        before = len(self.slack.ephemerals(user))
        assert await self.submitted(user, values) is None
        return await self.whispered(user, before + 1)

    async def home(self, user: str) -> Home:
        """Open the home tab, and wait until it is drawn."""
        before = len(self.slack.calls_of("views.publish"))
        self.slack.open_home(user)
        await self.slack.until(
            lambda: (
                len(self.slack.calls_of("views.publish")) > before
                and self.slack.settled
            )
        )
        page = self.slack.page(user)
        assert page is not None
        return page


@pytest.fixture
def admins(office: Office) -> Admins:
    return with_admin(office)


@pytest.fixture
def own_admins(own_office: Office) -> Admins:
    return with_admin(own_office)


def with_admin(office: Office) -> Admins:
    """Return `office` with Olga, who runs the workspace."""
    office.__class__ = Admins
    assert isinstance(office, Admins)
    office.olga = office.slack.add_user("Olga", admin=True)
    return office


async def test_a_prompt_set_in_a_modal_is_what_claude_is_told(admins: Admins) -> None:
    admins.slack.command(admins.olga, admins.general, "/claude", "prompt")
    modal = await admins.modal(admins.olga, "System prompt")
    assert [field.label for field in modal.fields][-2:] == [
        "Or a text file",
        "Which threads",
    ]
    saved = await admins.saved(admins.olga, {"prompt:0": "Speak like a pirate."})
    assert f"Saved for <#{admins.general}>:" in saved.text
    ts = admins.ask("hello")
    await admins.settled(ts)
    assert admins.model.requests[0].system.startswith("Speak like a pirate.")


async def test_a_form_says_where_it_applies_and_what_is_spent(
    own_admins: Admins,
) -> None:
    await own_admins.typed(own_admins.olga, "budget month 200 workspace")
    ts = own_admins.ask("hello")
    await own_admins.settled(ts)
    own_admins.slack.command(own_admins.olga, own_admins.general, "/claude", "budget")
    form = await own_admins.modal(own_admins.olga)
    assert form.title == "Budget · #general"
    assert f"For <#{own_admins.general}>." in form.text
    assert re.search(r"Spent: &lt;\$0\.01 today, &lt;\$0\.01 this month", form.text)
    assert "The workspace's own budget of $200.00 a month counts as well." in form.text
    assert "$ per day (UTC). Leave empty for no limit here." in form.text
    day = form.view["blocks"][1]["element"]
    assert day["placeholder"]["text"] == "5.00"


async def test_a_form_in_a_thread_asks_which_place_is_meant(admins: Admins) -> None:
    ts = admins.ask("hello")
    await admins.settled(ts)
    said = f"{admins.slack.mention} model"
    admins.slack.say(admins.olga, admins.general, said, thread_ts=ts)
    told = await admins.whispered(admins.olga)
    admins.slack.press_in(told, admins.olga, told.buttons[0])
    form = await admins.modal(admins.olga, "Model")
    assert form.fields[0].label == "Applies to"
    assert form.fields[0].value == "This channel"
    saved = await admins.saved(admins.olga, {"model": "claude-opus-5-5"})
    assert saved.text.startswith(f"Saved for <#{admins.general}>:")
    assert "Your last answer here would have cost about &lt;$" in saved.text


async def test_a_saved_change_is_undone_by_its_button_even_after_a_restart() -> None:
    async with SlackEmulator() as slack:
        general, olga = slack.add_channel("general"), slack.add_user("Olga", admin=True)
        store = MemoryStore()
        async with running(slack, store, ScriptedModel()):
            slack.command(olga, general, "/claude", "budget")
            await slack.until(lambda: slack.modal(olga))
            slack.submit(olga, {"budget_day": "5", "budget_month": "50"})
            await slack.until(
                lambda: slack.ephemerals(olga) and slack.modal(olga) is None
            )
        await slack.until(lambda: not slack.connections)
        [saved] = slack.ephemerals(olga)
        assert saved.text.startswith(f"Saved for <#{general}>:")
        async with running(slack, store, ScriptedModel()):
            slack.press_in(saved, olga, "Undo")
            await slack.until(lambda: "Undone" in slack.ephemerals(olga)[-1].text)
        [undone] = slack.ephemerals(olga)
        assert undone.text.count("not set") == 2
        assert await store.list_settings(EVERYWHERE) == []


async def test_a_prompt_of_twenty_thousand_characters(admins: Admins) -> None:
    lines = [f"Rule {n}: " + "x" * 85 for n in range(200)]
    prompt = "\n".join(lines)[:20_000].strip()
    pieces = [prompt[at : at + 2_900] for at in range(0, len(prompt), 2_900)]
    admins.slack.command(admins.olga, admins.general, "/claude", "prompt set")
    modal = await admins.modal(admins.olga)
    inputs = [field for field in modal.fields if field.kind == "plain_text_input"]
    assert all(field.max_length <= 3_000 for field in inputs)
    file = {"prompt:file": [("prompt.txt", f"\ufeff{prompt}".encode())]}
    saved = await admins.saved(admins.olga, dict(file))
    assert "Saved" in saved.text
    # Opened again, it is shared out over the inputs, and comes back as it was.
    admins.slack.command(admins.olga, admins.general, "/claude", "prompt")
    again = await admins.modal(admins.olga)
    shown = [f.value for f in again.fields if f.kind == "plain_text_input"]
    assert len([value for value in shown if value]) >= 7
    unchanged = await admins.saved(admins.olga, {})
    assert "No change" in unchanged.text
    assert len(pieces) == 7
    ts = admins.ask("hello")
    await admins.settled(ts)
    system = admins.model.requests[0].system
    assert system.startswith(prompt)


async def test_a_file_that_is_no_text_is_refused_at_its_field(admins: Admins) -> None:
    admins.slack.command(admins.olga, admins.general, "/claude", "prompt")
    await admins.modal(admins.olga)
    for file in (("a.txt", b"\xff\xfe\x00x"), ("b.txt", b"x" * 100_001)):
        modal = await admins.submitted(admins.olga, {"prompt:file": [file]})
        assert modal is not None, file[0]
        assert "couldn't read that file" in str(modal.errors), file[0]


async def test_what_cannot_be_set_is_said_at_the_field(admins: Admins) -> None:
    admins.slack.command(admins.olga, admins.general, "/claude", "budget")
    await admins.modal(admins.olga, "Budget")
    modal = await admins.submitted(admins.olga, {"budget_day": "ten"})
    assert modal is not None
    assert "not “ten”" in modal.errors["budget_day"]
    saved = await admins.saved(admins.olga, {"budget_day": "5"})
    assert "$5.00" in saved.text


async def test_members_are_denied_politely_and_see_what_applies(admins: Admins) -> None:
    assert "Sorry" in await admins.typed(admins.alice, "model opus")
    assert "Settings of this channel" in await admins.typed(admins.alice, "")
    assert "the default" in await admins.typed(admins.alice, "prompt")
    assert admins.slack.modal(admins.alice) is None
    assert f"<@{admins.alice}> tried to" in await admins.typed(admins.olga, "audit")


async def test_guests_and_strangers_never_may(admins: Admins) -> None:
    guest = admins.slack.add_user("Gus", admin=True, guest=True)
    assert "guests" in await admins.typed(guest, "model opus")
    stranger = admins.slack.add_user("Stan", admin=True, team="T99999999")
    said = f"{admins.slack.mention} model opus"
    admins.slack.say(stranger, admins.general, said)
    told = await admins.whispered(stranger)
    assert "other organisations" in told.text


async def test_whoever_created_a_channel_may_if_the_workspace_allows_it(
    own_admins: Admins,
) -> None:
    team = own_admins.slack.add_channel("team", members=[own_admins.alice])
    own_admins.slack.world.channels[team].creator = own_admins.alice
    assert "Sorry" in await own_admins.typed(own_admins.alice, "model opus", team)
    assert "Saved" in await own_admins.typed(
        own_admins.olga, "set creators workspace on"
    )
    assert "Saved" in await own_admins.typed(own_admins.alice, "model opus", team)
    assert "Sorry" in await own_admins.typed(own_admins.alice, "model opus")


async def test_user_groups_may_be_admins(own_admins: Admins) -> None:
    group = own_admins.slack.add_group("Leads", "leads", [own_admins.bob])
    typed = f"set admins <!subteam^{group}|@leads>"
    assert f"<!subteam^{group}>" in await own_admins.typed(own_admins.olga, typed)
    assert "Saved" in await own_admins.typed(own_admins.bob, "model haiku")


async def test_a_form_sent_after_its_author_lost_the_right_changes_nothing(
    admins: Admins, monkeypatch: pytest.MonkeyPatch
) -> None:
    admins.slack.command(admins.olga, admins.general, "/claude", "prompt")
    await admins.modal(admins.olga)
    admins.slack.world.users[admins.olga].admin = False
    monkeypatch.setattr("adapters.slack.members.FRESH", 0.0)
    told = await admins.submitted(admins.olga, {"prompt:0": "Mine!"})
    assert told is not None
    assert told.text.startswith("Sorry")
    assert FRESH <= 600, "minutes, not hours"
    ts = admins.ask("hello")
    await admins.settled(ts)
    assert "Mine!" not in admins.model.requests[0].system


async def test_a_command_is_the_whole_message_and_is_carried_out_once(
    admins: Admins,
) -> None:
    ts = admins.ask("hello")
    await admins.settled(ts)
    admins.ask("settings", thread_ts=ts)
    told = await admins.whispered(admins.alice)
    assert told.thread_ts == ts
    assert "Settings of this thread" in told.text
    admins.ask("usage of this flag?", thread_ts=ts)
    await admins.settled(ts, 2)
    await admins.slack.until(lambda: admins.slack.settled)
    # A mention comes as two events, and each of them could come again.
    for delivery in list(admins.slack.deliveries):
        admins.slack.socket.deliver(delivery.payload)
    await admins.slack.until(lambda: admins.slack.settled)
    whispers = [each.text for each in admins.slack.ephemerals(admins.alice)]
    assert sum("Settings of" in text for text in whispers) == 1
    prompts = [str(each.messages) for each in admins.model.requests]
    assert len(prompts) == 2
    assert "settings" not in prompts[1]


async def test_in_a_thread_a_form_is_opened_by_a_button(admins: Admins) -> None:
    ts = admins.ask("hello")
    await admins.settled(ts)
    said = f"{admins.slack.mention} prompt"
    admins.slack.say(admins.olga, admins.general, said, thread_ts=ts)
    told = await admins.whispered(admins.olga)
    admins.slack.press_in(told, admins.olga, told.buttons[0])
    await admins.modal(admins.olga, "System prompt")
    saved = await admins.saved(
        admins.olga, {"where": "This thread", "prompt:0": "Be a poet."}
    )
    assert saved.thread_ts == ts
    assert "Saved for this thread" in saved.text
    admins.ask("and now?", thread_ts=ts)
    await admins.settled(ts, 2)
    assert "Be a poet." in admins.model.requests[-1].system
    assert "This thread now uses" in admins.replies(ts)[1]


async def test_thread_settings_in_the_menu_of_a_message(admins: Admins) -> None:
    ts = admins.ask("hello")
    await admins.settled(ts)
    admins.slack.shortcut(admins.olga, admins.general, ts, interactions.SETTINGS)
    modal = await admins.modal(admins.olga, "Settings")
    assert "Settings of this thread" in modal.text
    admins.slack.press_in(modal, admins.olga, "Edit answers")
    form = await admins.modal(admins.olga, "Model and answers")
    assert [field.label for field in form.fields] == ["Model", "Effort"]
    # Nobody can be shown a line in a channel that they are not in.
    saved = await admins.submitted(admins.olga, {"model": "claude-opus-5-5"})
    assert saved is not None
    assert saved.buttons == ("Undo",)
    assert "claude-opus-5-5" in saved.text


async def test_a_fresh_start_is_told_to_all_in_the_thread(admins: Admins) -> None:
    ts = admins.ask("hello")
    await admins.settled(ts)
    admins.ask("new", thread_ts=ts)
    replies = await admins.settled(ts, 2)
    assert replies[1].startswith("Starting over")


async def test_in_direct_messages_no_mention_is_needed(admins: Admins) -> None:
    dm = admins.slack.open_dm(admins.alice)
    ts = admins.slack.say(admins.alice, dm, "help")
    await admins.slack.until(lambda: admins.replies(ts, dm))
    assert "*settings*" in admins.replies(ts, dm)[0]
    assert admins.model.requests == []


async def test_of_two_admins_the_second_chooses(admins: Admins) -> None:
    otto = admins.slack.add_user("Otto", admin=True)
    for user in (admins.olga, otto):
        admins.slack.command(user, admins.general, "/claude", "prompt")
        await admins.modal(user)
    await admins.submitted(otto, {"prompt:0": "By Otto."})
    clash = await admins.submitted(admins.olga, {"prompt:0": "By Olga."})
    assert clash is not None
    assert "Not saved" in clash.text
    assert f"<@{otto}>" in clash.text
    assert "-By Otto." in clash.text
    pressed = admins.slack.press_in(clash, admins.olga, "Save mine")
    await admins.slack.until(
        lambda: pressed.acked and "Saved" in (await_modal(admins, admins.olga) or "")
    )
    ts = admins.ask("hello")
    await admins.settled(ts)
    assert "By Olga." in admins.model.requests[0].system


def await_modal(admins: Admins, user: str) -> str:
    modal = admins.slack.modal(user)
    return modal.text if modal else ""


async def test_a_try_out_is_for_the_admin_alone(
    admins: Admins, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = asyncio.Event()
    admins.model.script(gate, "Arr, <!channel> Paris.")
    admins.slack.command(admins.olga, admins.general, "/claude", "prompt try")
    await admins.modal(admins.olga, "Try a prompt")
    monkeypatch.setattr(interactions, "PROMPT", 0.2)
    filled: dict[str, object] = {"prompt:0": "Pirate.", "question": "The capital?"}
    waiting = await admins.submitted(admins.olga, filled)
    assert waiting is not None
    assert messages.WORKING in waiting.text
    gate.set()
    await admins.slack.until(lambda: "Arr, " in await_modal(admins, admins.olga))
    assert "Save this prompt" in (await admins.modal(admins.olga)).buttons
    assert admins.slack.pings == []
    assert not [m for m in admins.slack.world.messages[admins.general].values()]


async def test_the_home_tab_of_an_admin(own_admins: Admins) -> None:
    await own_admins.typed(own_admins.olga, "model haiku")
    await own_admins.typed(own_admins.olga, "budget day 5 workspace")
    ts = own_admins.ask("hello")
    await own_admins.settled(ts)
    home = await own_admins.home(own_admins.olga)
    for words in (
        "Settings of the workspace",
        "*The workspace, today*: ▱▱▱▱▱ &lt; 1 % · ",
        "of $5.00",
        "Everything else is the default.",
        f"<#{own_admins.general}>",
        "claude-haiku-5-5",
        "1 answer",
        f"<@{own_admins.alice}>",
        "Changes in the workspace",
    ):
        assert words in home.text
    assert "by default" not in home.text
    own_admins.slack.press_in(home, own_admins.olga, "Edit answers")
    await own_admins.modal(own_admins.olga, "Model and answers")
    published = len(own_admins.slack.calls_of("views.publish"))
    assert (
        await own_admins.submitted(own_admins.olga, {"model": "claude-opus-5-5"})
        is None
    )
    await own_admins.slack.until(
        lambda: len(own_admins.slack.calls_of("views.publish")) > published
    )
    page = own_admins.slack.page(own_admins.olga)
    assert page is not None
    assert page.text.startswith("Saved for the workspace:")
    assert "claude-opus-5-5" in page.text
    own_admins.slack.press_in(page, own_admins.olga, "Undo")
    await own_admins.slack.until(
        lambda: "Undone" in own_admins.slack.page(own_admins.olga).text  # type: ignore[union-attr]
    )
    assert own_admins.slack.modal(own_admins.olga) is None


async def test_the_home_tab_of_a_member_shows_what_applies_and_their_own_usage(
    admins: Admins,
) -> None:
    ts = admins.ask("hello")
    await admins.settled(ts)
    home = await admins.home(admins.alice)
    assert "Settings of" in home.text
    assert "You, this month" in home.text
    assert home.selects == ()
    assert home.buttons == ("Show all", "Whole prompt", "Details")
    assert "tokens read" not in home.text
    assert "Daily budget" not in home.text
    admins.slack.press_in(home, admins.alice, "Show all")
    every = await admins.modal(admins.alice, "Settings")
    assert "Quiet*: off · by default" in every.text
    assert every.selects == ()
    admins.slack.press_in(home, admins.alice, "Details")
    assert "tokens read" in (await admins.modal(admins.alice, "Usage")).text
    elsewhere = await admins.home(admins.bob)
    assert "0 answers" in elsewhere.text


async def test_the_other_tab_is_not_drawn(admins: Admins) -> None:
    admins.slack.open_home(admins.alice, tab="messages")
    await admins.slack.until(lambda: admins.slack.settled)
    assert admins.slack.calls_of("views.publish") == []


async def test_a_command_nobody_knows_names_the_nearest(admins: Admins) -> None:
    assert await admins.typed(admins.alice, "make coffee") == UNKNOWN
    told = await admins.typed(admins.olga, "budgt day 5")
    assert "Did you mean `budget day 5`?" in told
    admins.slack.press_in(
        admins.slack.ephemerals(admins.olga)[-1], admins.olga, "budget day 5"
    )
    await admins.slack.until(
        lambda: "$5.00" in admins.slack.ephemerals(admins.olga)[-1].text
    )


async def test_where_slack_does_not_say_who_somebody_is_nothing_is_done(
    own_admins: Admins,
) -> None:
    own_admins.slack.granted.discard("users:read")
    assert "couldn't check your permissions" in await own_admins.typed(
        own_admins.olga, "model opus"
    )


async def test_a_button_of_an_older_version_says_so(admins: Admins) -> None:
    await admins.typed(admins.olga, "settings")
    whisper = admins.slack.ephemerals(admins.olga)[-1]
    button = whisper.blocks[-1]["elements"][0]
    button["value"], button["action_id"] = "turn:42", "stop"
    admins.slack.press_in(whisper, admins.olga, "stop")
    await admins.slack.until(
        lambda: "no longer works" in admins.slack.ephemerals(admins.olga)[-1].text
    )


async def test_readers_say_how_good_an_answer_was(own_admins: Admins) -> None:
    await own_admins.typed(own_admins.olga, "set feedback on")
    ts = own_admins.ask("hello")
    await own_admins.settled(ts)
    [reply] = [s for s in own_admins.slack.thread(own_admins.general, ts) if s.bot]
    own_admins.slack.press_feedback(
        own_admins.alice, own_admins.general, reply.ts, True
    )
    told = await own_admins.whispered(own_admins.alice)
    assert told.text == messages.THANKS
    assert told.thread_ts == ts
    rows = await own_admins.store._read(
        lambda db: db.execute("SELECT feedback FROM turns").fetchall()
    )
    assert [row[0] for row in rows] == [1]
    # A visitor who has not joined the channel is thanked, too.
    visitor = own_admins.slack.add_user("Vera")
    own_admins.slack.press_feedback(visitor, own_admins.general, reply.ts, True)
    told = await own_admins.whispered(visitor)
    assert (told.text, told.thread_ts) == (messages.THANKS, ts)


async def test_admins_are_told_in_private_how_far_a_budget_is_used(
    admins: Admins,
) -> None:
    await admins.typed(admins.olga, "set max_tokens 2000")
    await admins.typed(admins.olga, "budget day 0.0255")
    usage = Usage(output=2_000)
    admins.model.script(Report("claude-sonnet-5-5", None, usage, "end_turn"), "Hi.")
    ts = admins.ask("hello")
    await admins.settled(ts)
    dm = admins.slack.open_dm(admins.olga)
    await admins.slack.until(lambda: admins.slack.world.messages[dm])
    [told] = admins.slack.world.messages[dm].values()
    assert told.text.startswith("*75% of a budget is used*")
    assert f"<#{admins.general}>" in told.text
