"""Commands, menus, buttons and forms, from Discord to the core and back."""

import logging
from typing import Any

import aiohttp
import pytest

from adapters.discord import files as discord_files
from adapters.discord import interaction_responses
from bot.domain.scope import Scope
from bot.errors import StorageFull
from bot.messages.commands import STALE
from bot.messages.controls import FORM_REFUSED
from bot.text.references import user
from bot.ui.elements import (
    Button,
    Choice,
    Command,
    Field,
    File,
    Form,
    Kind,
    Menu,
    Response,
)
from tests.emulators.discord.faults import CALLBACK, error
from tests.emulators.discord.interactions import Asked
from tests.support.discord_harness import Office

pytestmark = pytest.mark.asyncio(loop_scope="module")

EDIT = Command("edit", {"where": "channel"})
SAVE = Command("save", {"where": "channel", "base": "7"})
PANEL = Response(
    f"What shall it be, {user('1')}?",
    menus=(Menu(EDIT, "option", "Change …", (Choice("model", "Model"),)),),
    buttons=(Button("Keep writing", Command("draft edit", {"draft": "3"})),),
)
FORM = Form(
    SAVE,
    "Model",
    (
        Field(
            *("model", "Model", Kind.CHOICE, "auto"),
            choices=(Choice("auto", "auto"), Choice("opus", "Opus")),
        ),
        Field("note", "Note", Kind.LINE, required=False),
        Field("who", "Who", Kind.PEOPLE, "user:1", required=False),
    ),
)
LONG = Form(
    SAVE, "Prompt", (Field("prompt", "Prompt", Kind.TEXT, "x" * 4_001, most=20_000),)
)


async def test_a_command_arrives_with_its_arguments_and_where_it_was_given(
    office: Office,
) -> None:
    told = await office.give("claude settings", where="workspace")
    assert (told.text, told.ephemeral_for) == ("Noted.", office.alice)
    assert office.last.command == Command("settings", {"where": "workspace"})
    guild = office.discord.guild
    assert office.last.place == Scope("discord", guild, office.general)
    thread = office.discord.thread(office.alice, office.general, "A thread")
    await office.give("claude prompt rollback", thread, version=3, where="thread")
    assert office.last.command.verb == "prompt rollback"
    assert office.last.command.arguments == {"version": "3", "where": "thread"}
    assert office.last.place == Scope("discord", guild, office.general, thread)
    direct = office.discord.open_dm(office.alice)
    await office.give("claude usage", direct)
    assert office.last.place == Scope("discord", "@me", direct, direct)
    assert not office.last.person.runs_channel
    assert office.discord.pings == []


async def test_mentions_in_what_people_type_are_named_as_the_core_names_them(
    office: Office,
) -> None:
    office.discord.add_role("admins", office.alice, permissions=["manage_channels"])
    value = f"<@{office.bob}> <@!7> <@&8> <#9> <b>"
    await office.give("claude-admin set", option="who", value=value)
    assert office.last.command.arguments == {
        "option": "who",
        "value": f"user:{office.bob} user:7 group:8 channel:9 <b>",
    }


async def test_what_everybody_should_see_is_shown_to_everybody(office: Office) -> None:
    office.core.says = [
        Response("Starting over.", public=True),
        Response("Nothing here."),
    ]
    assert (await office.give("claude new")).ephemeral_for == ""
    assert (await office.give("claude new")).ephemeral_for == office.alice


async def test_a_text_file_arrives_as_its_text(office: Office) -> None:
    for content in (b"Be kind.\r\n", b"\xef\xbb\xbfBe kind.\r\n"):
        await office.give("claude prompt set", file=("Prompt.TXT", content))
        expected = Command("prompt set", {"file": "Be kind.\r\n"})
        assert office.last.command == expected, content
    assert len(office.core.given) == 2


async def test_a_file_that_is_no_such_text_is_refused_in_a_sentence(
    office: Office,
) -> None:
    large = bytes(discord_files.MOST_BYTES + 1)
    for name, content, why in (
        ("prompt.pdf", b"x", "is not a .txt, .md or .yaml file"),
        ("prompt", b"x", "is not a .txt, .md or .yaml file"),
        ("prompt.md", large, "has 100 KB, and I accept at most 100 KB"),
        ("prompt.txt", "Grüße".encode("latin-1"), "is not UTF-8 text"),
        ("prompt.txt", "Grüße".encode("utf-16"), "is not UTF-8 text"),
    ):
        told = await office.give("claude prompt set", file=(name, content))
        assert why in told.text
        assert told.ephemeral_for == office.alice
    # One that Discord no longer has is asked for again.
    office.discord.files.lost = True
    told = await office.give("claude prompt set", file=("prompt.txt", b"Be kind."))
    assert "upload it again" in told.text
    assert office.core.given == []


async def test_a_form_comes_back_filled_in(office: Office) -> None:
    office.core.says = [PANEL, FORM, Response("Saved.")]
    told = await office.give("claude settings")
    menu = told.buttons[0]
    asked = office.discord.select(office.alice, told.id, menu, ["model"])
    form = await office.form(asked)
    role = office.discord.add_role("ops")
    sent = office.discord.submit(
        office.alice,
        form,
        {"model": ["opus"], "note": f"ask <@{office.bob}>", "who": [office.bob, role]},
    )
    assert (await office.told(sent)).text == "Saved."
    assert office.last.command == SAVE.having(
        {
            "model": "opus",
            "note": f"ask user:{office.bob}",
            "who": f"user:{office.bob} group:{role}",
        }
    )


async def test_a_form_that_nobody_touches_says_what_is_set(office: Office) -> None:
    people = Field("who", "Who", Kind.PEOPLE, f"user:{office.bob}", required=False)
    office.core.says = [
        Form(SAVE, "Who", (*FORM.fields[:2], people)),
        Response("Saved."),
    ]
    asked = office.discord.command(office.alice, office.general, "claude model")
    sent = office.discord.submit(office.alice, await office.form(asked), {})
    await office.told(sent)
    assert office.last.command.arguments == {
        **SAVE.arguments,
        "model": "auto",
        "note": "",
        "who": f"user:{office.bob}",
    }


async def test_a_text_that_no_form_holds_is_given_and_taken_as_a_file(
    office: Office,
) -> None:
    office.core.says = [LONG, LONG, Response("Saved.")]
    told = await office.give("claude prompt set", where="channel")
    assert "`/claude prompt set file:`" in told.text
    assert told.files == ("prompt.txt",)
    [button] = told.buttons
    form = await office.form(office.discord.click(office.alice, told.id, button))
    assert office.last.command == Command("prompt set", {"where": "channel"})
    files = [("new.md", b"Be brief.")]
    sent = office.discord.submit(office.alice, form, {"prompt": files})
    assert (await office.told(sent)).text == "Saved."
    assert office.last.command == SAVE.having({"prompt": "Be brief."})
    wrong = office.discord.submit(office.alice, form, {"prompt": [("new.pdf", b"x")]})
    assert "is not a .txt, .md or .yaml file" in (await office.told(wrong)).text


async def test_what_was_written_and_not_taken_is_given_back(office: Office) -> None:
    prompt = Field("prompt", "Prompt", Kind.TEXT, "Be kind.", most=20_000)
    form = Form(SAVE, "Prompt", (prompt,))
    office.core.says = [form, Response("This cannot be.", field="prompt")]
    asked = office.discord.command(office.alice, office.general, "claude prompt set")
    opened = await office.form(asked)
    sent = office.discord.submit(office.alice, opened, {"prompt": "Be\nbrief."})
    told = await office.told(sent)
    assert (told.text, told.files) == ("This cannot be.", ("prompt.txt",))
    sent = office.discord.submit(office.alice, opened, {"prompt": "short"})
    assert (await office.told(sent)).files == ()


async def test_a_form_after_a_form_is_a_button_that_opens_it(office: Office) -> None:
    office.core.says = [FORM, FORM, FORM]
    asked = office.discord.command(office.alice, office.general, "claude model")
    sent = office.discord.submit(office.alice, await office.form(asked), {"who": []})
    told = await office.told(sent)
    [button] = told.buttons
    assert button == "do:save where=channel base=7 model=auto note= who="
    again = office.discord.click(office.alice, told.id, button)
    await office.form(again)


async def test_a_form_that_takes_long_is_a_button_that_opens_it(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interaction_responses, "PROMPT", 0.0)
    office.core.says = [FORM]
    asked = await thinking(office, "claude model", where="channel")
    told = await office.told(asked)
    assert told.buttons == ("do:model where=channel",)
    assert told.ephemeral_for == office.alice


async def test_what_takes_long_is_waited_for(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interaction_responses, "PROMPT", 0.0)
    office.core.says = [
        Response("x" * 2_001, buttons=PANEL.buttons, file=File("a.txt", "a"))
    ]
    asked = await thinking(office, "claude usage")
    told = await office.told(asked)
    assert told.ephemeral_for == office.alice
    assert told.files == ("everything.md", "a.txt")
    assert len(told.buttons) == 1


async def test_what_goes_wrong_is_said_in_a_sentence(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    office.core.says = [StorageFull("no space")]
    told = (
        await office.give("claude-admin set", option="who", value="secret")
        if (
            office.discord.add_role("boss", office.alice, permissions=["administrator"])
        )
        else None
    )
    assert told is not None
    assert told.text == StorageFull.user_text
    assert "discord.not_carried_out verb=set no space" in caplog.text
    assert "secret" not in caplog.text


async def test_a_control_of_another_version_says_so(office: Office) -> None:
    for custom_id in ("do:forget where=channel", "stop:7", "do:", "x"):
        message = await post(office, custom_id)
        pressed = office.discord.click(office.alice, message, custom_id)
        told = await office.told(pressed)
        assert (told.text, told.ephemeral_for) == (STALE, office.alice), custom_id
    assert office.core.given == []


async def test_models_are_suggested_while_somebody_types(office: Office) -> None:
    asked = office.discord.autocomplete(
        office.alice, office.general, "claude model", "value", "haiku"
    )
    await office.discord.until(lambda: asked.response)
    assert asked.response is not None
    values = [each["value"] for each in asked.response.choices]
    assert values
    assert all("haiku" in each for each in values)
    nothing = office.discord.autocomplete(
        office.alice, office.general, "claude model", "value", "no such model"
    )
    await office.discord.until(lambda: nothing.response)
    assert nothing.response is not None
    assert nothing.response.choices == ()


async def test_only_those_who_may_use_them_are_shown_the_commands_of_admins(
    office: Office,
) -> None:
    discord = office.discord
    role = discord.add_role("keepers", office.bob)
    discord.set_permissions(office.general, role=role, allow=["manage_channels"])
    assert "claude-admin" not in discord.commands(office.alice, office.general)
    assert "claude" in discord.commands(office.alice, office.general)
    assert "claude-admin" in discord.commands(office.bob, office.general)
    assert "claude-admin" not in discord.commands(office.bob, office.random)
    direct = discord.open_dm(office.alice)
    assert discord.commands(office.alice, direct) == ["ask", "claude", "triage"]
    with pytest.raises(AssertionError, match="is not shown"):
        discord.command(office.alice, office.general, "claude-admin audit")


async def test_what_discord_does_not_take_is_said_without_it(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    unfit = error(400, 50035, "Invalid Form Body")
    office.discord.faults.add("POST", CALLBACK, unfit)
    office.core.says = [PANEL, FORM]
    told = await office.give("claude settings")
    assert (told.text, told.buttons) == ("What shall it be, <@1>?", ())
    office.discord.faults.add("POST", CALLBACK, unfit)
    told = await office.give("claude model")
    assert told.text == f"{FORM_REFUSED}\nModel: auto\nWho: <@1>"
    assert "discord.unfit_answer" in caplog.text
    assert "discord.unfit_form" in caplog.text


async def test_an_answer_that_comes_too_late_is_noted_and_no_more(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    office.discord.faults.add("POST", CALLBACK, error(404, 10062, "Unknown"))
    office.discord.command(office.alice, office.general, "claude usage")
    await office.discord.until(lambda: "discord.too_late" in caplog.text)
    assert office.last.command == Command("usage")


async def thinking(office: Office, name: str, **options: Any) -> Asked:
    """Let Alice give a command that takes so long that the bot says so."""
    office.core.open.clear()
    asked = office.discord.command(office.alice, office.general, name, **options)
    await office.discord.until(
        lambda: (
            asked.response
            and asked.response.message
            and asked.response.message.thinking
        )
    )
    office.core.open.set()
    return asked


async def post(office: Office, custom_id: str, place: str = "") -> str:
    """Return a message of the bot's with one button; its id."""
    button = {"type": 2, "style": 2, "label": "x", "custom_id": custom_id}
    place = place or office.general
    async with aiohttp.ClientSession() as session:
        response = await session.post(
            f"{office.discord.api_url}/channels/{place}/messages",
            json={
                "content": "An answer.",
                "components": [{"type": 1, "components": [button]}],
            },
            headers={"Authorization": f"Bot {office.discord.token}"},
        )
        return str((await response.json())["id"])
