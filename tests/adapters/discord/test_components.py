"""Responses and forms of the core become Discord messages and modals."""

from typing import Any

import pytest

from adapters.discord import components as discord_components
from adapters.discord import modals
from bot.text.references import from_setting, user
from bot.ui.elements import (
    LINE_CHARS,
    Button,
    Choice,
    Command,
    Field,
    File,
    Form,
    Kind,
    Menu,
    Response,
    Style,
)

GUILD = 900

SAVE = Command("save", {"where": "channel", "base": "7"})
CHOICES = (Choice("on", "On", "All the time"), Choice("off", "Off"))


def rows(drawn: discord_components.Drawn) -> list[list[dict[str, Any]]]:
    """Return the components of a message by row."""
    components = drawn.view.to_components() if drawn.view else []
    return [each["components"] for each in components]


def parts(form: Form, **more: Any) -> list[dict[str, Any]]:
    """Return the labels of a form as Discord gets it."""
    return list(modals.modal(form, GUILD, **more).to_dict()["components"])


def a_form(*fields: Field) -> Form:
    return Form(SAVE, "Settings", fields)


def test_people_roles_and_channels_are_shown_by_name_but_not_in_code() -> None:
    people = from_setting("user:1 group:2 channel:3")
    text = f"{people}, not user:1 and {user('operator')}\n"
    text += f"`{user('4')}`\n```\n{user('5')}"
    assert discord_components.draw(Response(text)).text == (
        "<@1> <@&2> <#3>, not user:1 and operator\n`4`\n```\n5"
    )


def test_menus_stand_above_buttons_and_carry_their_command() -> None:
    there = Command("edit", {"where": "channel"})
    told = Response(
        "What?",
        menus=(Menu(there, "option", "Change …", CHOICES),),
        buttons=(
            Button("Undo", Command("draft drop", {"draft": "3"}), Style.DANGER),
            Button("Help", Command("help")),
        ),
    )
    [menu], [undo, help_] = rows(discord_components.draw(told))
    assert menu["custom_id"] == "do:edit where=channel option="
    assert [each["value"] for each in menu["options"]] == ["on", "off"]
    assert menu["options"][0]["description"] == "All the time"
    assert (undo["custom_id"], undo["style"]) == ("do:draft.drop draft=3", 4)
    assert (help_["custom_id"], help_["style"]) == ("do:help", 2)
    line = menu["custom_id"].removeprefix("do:")
    assert discord_components.chosen_command(line, ["off"]) == there.having(
        {"option": "off"}
    )
    assert discord_components.chosen_command("help", ()) == Command("help")


def test_a_value_with_blanks_is_chosen_whole() -> None:
    chosen = discord_components.chosen_command("set where=thread value=", ["as it was"])
    assert chosen.arguments == {"where": "thread", "value": "as it was"}


def test_what_does_not_fit_into_a_message_is_left_out() -> None:
    menus = [
        Menu(Command("edit", {"where": f"channel:{n}"}), "option", "x", CHOICES)
        for n in range(4)
    ]
    buttons = [Button(str(n), Command("set", {"n": str(n)})) for n in range(9)]
    same = [Button("again", Command("set", {"n": "0"}))]
    drawn = discord_components.draw(
        Response("x", menus=tuple(menus), buttons=(*same, *buttons))
    )
    assert [len(row) for row in rows(drawn)] == [1, 1, 1, 1, 4]


def test_the_longest_command_of_the_core_fits_into_a_control() -> None:
    line = Command("x", {"y": "z" * (LINE_CHARS - 4)})
    assert len(line.line) == LINE_CHARS
    told = Response("x", menus=(Menu(line, "value", "x", CHOICES),))
    [[menu]] = rows(discord_components.draw(told))
    assert len(menu["custom_id"]) <= 100


def test_a_long_text_is_cut_at_a_line_and_attached_whole() -> None:
    text = "\n".join(f"line {n} of {user('1')}" for n in range(300))
    drawn = discord_components.draw(Response(text, file=File("prompt.txt", "x")))
    assert len(drawn.text) <= 2_000
    head, rest = drawn.text.rsplit("\n", 1)
    assert rest == discord_components.REST
    assert head.endswith("of <@1>")
    assert [each.name for each in drawn.files] == ["everything.md", "prompt.txt"]
    assert drawn.files[0].text.endswith("line 299 of <@1>")


def test_a_cut_leaves_no_code_open() -> None:
    text = "```diff\n" + "+ line\n" * 400 + "```"
    drawn = discord_components.draw(Response(text))
    assert drawn.text.count("```") == 2
    assert len(drawn.text) <= 2_000
    assert discord_components.cut("w" * 3_000).startswith("www")


def test_a_form_asks_for_each_kind_in_its_way() -> None:
    form = a_form(
        Field("budget_day", "Budget", Kind.LINE, "5", hint="Empty: none", most=20),
        Field("prompt", "Prompt", Kind.TEXT, "Be kind.", most=20_000),
        Field("follow", "Follow-ups", Kind.CHOICE, "off", choices=CHOICES),
        Field("who", "Who", Kind.PEOPLE, "user:1 group:2", required=False),
    )
    drawn = modals.modal(form, GUILD).to_dict()
    assert (drawn["title"], drawn["custom_id"]) == (
        "Settings",
        "form:save where=channel base=7",
    )
    line, text, choice, people = drawn["components"]
    assert line["description"] == "Empty: none"
    assert line["component"] | {"id": 0} == {
        "type": 4,
        "custom_id": "budget_day",
        "style": 1,
        "label": None,
        "required": True,
        "value": "5",
        "max_length": 20,
        "id": 0,
    }
    assert (text["component"]["style"], text["component"]["max_length"]) == (2, 4_000)
    assert [each["default"] for each in choice["component"]["options"]] == [False, True]
    assert people["component"]["default_values"] == [
        {"id": 1, "type": "user"},
        {"id": 2, "type": "role"},
    ]
    assert people["component"]["required"] is False
    assert people["component"]["min_values"] == 0


def test_everyone_is_the_role_that_everybody_has() -> None:
    form = a_form(Field("who", "Who", Kind.PEOPLE, "everyone"))
    [label] = parts(form)
    assert label["component"]["default_values"] == [{"id": GUILD, "type": "role"}]
    sent = {"components": [{"component": chosen_people(str(GUILD))}]}
    assert modals.submitted_values(sent, GUILD) == {"who": "everyone"}


@pytest.mark.parametrize(
    "people", ["user:U1", " ".join(map("user:{}".format, range(26)))]
)
def test_people_who_fit_into_no_menu_are_typed(people: str) -> None:
    [label] = parts(a_form(Field("who", "Who", Kind.PEOPLE, people)))
    assert label["component"]["type"] == 4
    form = a_form(Field("who", "Who", Kind.PEOPLE, "user:1"))
    [label] = modals.modal(form, None).to_dict()["components"]
    assert label["component"]["value"] == "<@1>"


def test_more_choices_than_a_menu_holds_are_typed() -> None:
    many = tuple(Choice(str(n), str(n)) for n in range(26))
    [label] = parts(a_form(Field("model", "Model", Kind.CHOICE, "3", choices=many)))
    assert label["component"]["type"] == 4
    assert label["component"]["value"] == "3"


def test_a_form_with_files_asks_for_what_may_be_long_as_a_file() -> None:
    prompt = Field("prompt", "Prompt", Kind.TEXT, "x" * 5_000, most=20_000)
    line = Field("question", "Question", Kind.LINE)
    form = a_form(prompt, line)
    assert modals.overlong(form) == prompt
    assert modals.overlong(a_form(line)) is None
    upload, typed = parts(form, files=True)
    assert (upload["component"]["type"], typed["component"]["type"]) == (19, 4)


def test_what_is_too_long_for_a_form_is_handed_over_as_a_file() -> None:
    field = Field("prompt", "Prompt", Kind.TEXT, "x" * 4_001)
    opener = Command("prompt set", {"where": "channel"})
    drawn = modals.as_file(field, opener, "/claude prompt set file:")
    assert drawn.files == (File("prompt.txt", field.value),)
    assert "4,001 characters" in drawn.text
    assert "`/claude prompt set file:`" in drawn.text
    [[button]] = rows(drawn)
    assert button["custom_id"] == "files:prompt.set where=channel"


def test_a_form_that_cannot_be_opened_now_is_a_button() -> None:
    [[button]] = rows(modals.opener(Command("draft edit", {"draft": "3"})))
    assert button["custom_id"] == "do:draft.edit draft=3"
    drawn = modals.opener(Command("set", {"value": "two words"}))
    assert drawn.view is None
    assert "once more" in drawn.text


def test_a_command_that_no_form_can_carry_is_a_mistake() -> None:
    form = Form(
        Command("save", {"value": "x" * 99}), "x", (Field("a", "A", Kind.LINE),)
    )
    with pytest.raises(ValueError, match="save"):
        modals.modal(form, GUILD)


def test_a_menu_of_channels_offers_all_that_can_have_threads() -> None:
    menu = Menu(SAVE, "where", "Channel", channels=True)
    [[shown]] = rows(discord_components.draw(Response("Where?", menus=(menu,))))
    # Text, announcement, forum and media channels (facts B6).
    assert shown["channel_types"] == [0, 5, 15, 16]


def test_a_form_is_read_top_to_bottom() -> None:
    sent = {
        "components": [
            {"type": 18, "component": {"type": 4, "custom_id": "a", "value": "<@1>"}},
            {
                "type": 1,
                "components": [{"type": 3, "custom_id": "b", "values": ["on"]}],
            },
            {"type": 18, "component": chosen_people("7", "8")},
            {"type": 18, "component": {"type": 3, "custom_id": "c", "values": []}},
        ],
        "resolved": {"users": {"7": {}}, "roles": {"8": {}}},
    }
    assert modals.submitted_values(sent, GUILD) == {
        "a": "<@1>",
        "b": "on",
        "who": "user:7 group:8",
        "c": "",
    }
    assert modals.uploads(sent) == set()


def chosen_people(*ids: str) -> dict[str, Any]:
    return {"type": 7, "custom_id": "who", "values": list(ids)}
