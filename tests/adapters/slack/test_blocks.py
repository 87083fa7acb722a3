"""Responses of the core as Slack blocks: within Slack's size limits, with every
control."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.slack import blocks as slack_blocks
from adapters.slack import modals, mrkdwn
from adapters.slack.modals import Context
from bot.domain.scope import Scope
from bot.text.references import from_setting, link, user
from bot.ui.elements import (
    Button,
    Choice,
    Command,
    Field,
    File,
    Form,
    Kind,
    Menu,
    Page,
    Response,
    Section,
    Style,
)
from tests.emulators.slack import blocks as kit

HERE = Scope("slack", "T1", "C1", "1.5")
EDIT = Command("edit", {"where": "thread"})
MENU = Menu(EDIT, "option", "Change …", (Choice("model", "Model", "Which one"),))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("**Bold** and _it_", "*Bold* and _it_"),
        ("- one\n- two", "• one\n• two"),
        ("> quoted\nnot", "> quoted\nnot"),
        ("a < b & c > d", "a &lt; b &amp; c &gt; d"),
        ("by user:U1 in channel:C2", "by user:U1 in channel:C2"),
        ("`user:U1` **x**", "`user:U1` *x*"),
        ("```diff\n-**a**\n+<b>\n```", "```\n-**a**\n+&lt;b&gt;\n```"),
        ("<!channel> <@U1>", "&lt;!channel&gt; &lt;@U1&gt;"),
    ],
)
def test_small_markdown_in_slacks_notation(text: str, shown: str) -> None:
    assert mrkdwn.format_text(text) == shown


def test_whom_the_core_names_is_drawn_as_a_mention_where_one_person_sees_it() -> None:
    people = from_setting("user:U1 channel:C2 group:S3")
    text = f"by {people}, {user('operator')} `{user('U1')}`"
    assert mrkdwn.format_text(text) == "by <@U1> <#C2> <!subteam^S3>, operator `U1`"
    assert mrkdwn.format_text(link("https://x.test/a?b=1&c")) == (
        "<https://x.test/a?b=1&amp;c>"
    )
    assert mrkdwn.format_text(link("javascript:alert(1)")) == "javascript:alert(1)"


def test_whom_the_core_names_is_named_where_all_see_it() -> None:
    text = f"by {from_setting('user:U1 channel:C2 group:S3 user:U4')}"
    names = {"U1": "Eve <!channel>", "S3": "@ops"}
    assert mrkdwn.format_text(text, names) == ("by Eve &lt;!channel&gt; <#C2> @ops U4")


def test_what_is_cut_in_the_middle_leaves_nothing_of_a_mark() -> None:
    text = f"by {user('U1')}"
    for most in range(len(text)):
        assert mrkdwn.format_text(f"{text[:most]} …") == f"{text[:most][:3]} …"


def test_what_people_type_is_read_with_ids() -> None:
    typed = "set who <@U1|al> <!subteam^S2|@x> &amp; <#C3|gen>"
    assert mrkdwn.tokens(typed) == "set who user:U1 group:S2 & channel:C3"
    # Slack makes the links.
    typed = "prompt set Link to <https://a.example/b|the guide> or <http://a.md|a.md>."
    shown = "prompt set Link to the guide (https://a.example/b) or a.md."
    assert mrkdwn.tokens(typed) == shown
    typed = "set web_fetch_domains <http://b.example|b.example> <https://c.example>"
    assert mrkdwn.tokens(typed) == "set web_fetch_domains b.example https://c.example"
    typed = "prompt set Use <b>, std::vector<std::string> and <!doctype html>."
    assert mrkdwn.tokens(typed) == typed


@given(st.text(alphabet="ab\n`- ", max_size=9_000))
def test_no_message_is_too_large_and_no_word_is_left_out(text: str) -> None:
    drawn = slack_blocks.message(Response(text or "x"), HERE)
    assert kit.problem(drawn["blocks"]) is None
    read = "".join(kit.shown(drawn["blocks"]).split())
    assert read.count("a") >= text.count("a")


def test_what_is_far_too_long_is_cut_and_its_controls_are_kept() -> None:
    told = Response("x" * 2_000_000, menus=(MENU,), buttons=(Button("Go", EDIT),))
    for blocks, most in (
        (slack_blocks.message(told, HERE)["blocks"], 50),
        (slack_blocks.draw_modal(told, HERE, "", "T")["blocks"], 100),
    ):
        assert len(blocks) <= most
        assert [each["type"] for each in blocks].count("actions") == 2
        assert slack_blocks.CUT in kit.shown(blocks)


def test_code_that_is_cut_is_closed_and_opened_again() -> None:
    text = "```diff\n" + "\n".join(f"+line {n}" for n in range(900)) + "\n```\nafter"
    sections = slack_blocks.message(Response(text), HERE)["blocks"]
    texts = [each["text"]["text"] for each in sections]
    assert len(texts) > 2
    assert all(text.count("```") % 2 == 0 for text in texts)


def test_a_control_carries_all_that_it_needs() -> None:
    told = Response("x", menus=(MENU,), buttons=(Button("Go", EDIT, Style.DANGER),))
    menu, button = slack_blocks.message(told, HERE)["blocks"][1:]
    for block in (menu, button):
        assert slack_blocks.thread(block, HERE.channel) == HERE.thread
        assert slack_blocks.thread(block, "C2") == ""
    [select], [press] = menu["elements"], button["elements"]
    chosen = {**select, "selected_option": {"value": "model"}}
    assert slack_blocks.used_command(chosen) == EDIT.having({"option": "model"})
    assert slack_blocks.used_command(press) == EDIT
    assert press["style"] == "danger"
    assert slack_blocks.used_command({"action_id": "old_stop", "value": "7"}) is None


def test_a_file_is_shown_as_it_is() -> None:
    text = "*not bold* <@U1>\n" * 400
    told = Response("Here:", file=File("prompt.txt", text))
    blocks = slack_blocks.message(told, HERE)["blocks"]
    kinds = {each["text"]["type"] for each in blocks[1:]}
    assert kinds == {"plain_text"}
    assert "".join(each["text"]["text"] for each in blocks[1:]) == text


def test_a_page_fits_however_much_there_is() -> None:
    sections = tuple(
        Section(f"channel:C{n}", "- **Model**: x\n" * 50, (MENU,)) for n in range(60)
    )
    view = slack_blocks.home(Page(sections), Scope("slack", "T1"))
    assert len(view["blocks"]) <= 100
    assert kit.problem(view["blocks"][:50]) is None
    ids = [each["block_id"] for each in view["blocks"] if "block_id" in each]
    assert len(ids) == len(set(ids))


PROMPT = Field("prompt", "System prompt", Kind.TEXT, most=20_000)


def form(*fields: Field) -> Form:
    return Form(Command("save", {"where": "channel", "base": "3"}), "Prompt", fields)


def drawn(field: Field) -> tuple[dict[str, Any], Context]:
    view = modals.view(form(field), Context(HERE, from_home=True), [])
    return view, Context.of(view["private_metadata"], "slack", "T1")


def values(view: dict[str, Any]) -> dict[str, dict[str, dict[str, Any]]]:
    """Return the state that Slack sends if a form is submitted unchanged."""
    found = {}
    for block in view["blocks"]:
        element = block["element"]
        kind = element["type"]
        state: dict[str, Any] = {"type": kind}
        if kind == "plain_text_input":
            state["value"] = element.get("initial_value")
        elif kind == "static_select":
            state["selected_option"] = element.get("initial_option")
        elif kind == "multi_users_select":
            state["selected_users"] = element.get("initial_users", [])
        elif kind == "multi_static_select":
            state["selected_options"] = element.get("initial_options", [])
        found[block["block_id"]] = {"v": state}
    return found


@given(st.text(alphabet="ab \n\t", max_size=20_000))
def test_a_text_that_nobody_changes_comes_back_exactly(text: str) -> None:
    view, context = drawn(replace(PROMPT, value=text))
    texts, files = modals.submitted_values(values(view), context)
    assert texts["prompt"] == text
    assert files == {}


def test_the_longest_prompt_fits_into_a_modal() -> None:
    text = "\n".join("x" * 99 for _ in range(200))
    view, context = drawn(replace(PROMPT, value=text))
    inputs = [b["element"] for b in view["blocks"] if "initial_value" in b["element"]]
    assert len(inputs) == 8
    assert all(len(each["initial_value"]) <= 3_000 for each in inputs)
    assert all(each["max_length"] <= 3_000 for each in inputs)
    assert len(context.metadata) <= 3_000
    assert len(json.dumps(view)) < 250_000
    assert modals.submitted_values(values(view), context)[0]["prompt"] == text


def test_what_stood_at_a_cut_is_remembered() -> None:
    assert modals.split_text("abcd\nef", 4) == (["abcd", "ef"], ["\n"])
    assert modals.split_text("abcdef", 4) == (["abcd", "ef"], [""])
    assert modals.split_text("ab\n\ncd", 3) == (["ab\n", "cd"], ["\n"])
    assert modals.split_text("", 3) == ([""], [])


def test_people_and_groups_are_chosen_from_menus() -> None:
    field = Field("who", "Who may ask", Kind.PEOPLE, "user:U1 group:S2", required=False)
    groups = [Choice("S1", "@all"), Choice("S2", "@support")]
    view = modals.view(form(field), Context(HERE), groups)
    context = Context.of(view["private_metadata"], "slack", "T1")
    assert modals.submitted_values(values(view), context)[0] == {
        "who": "user:U1 group:S2"
    }
    anyone = Field("who", "Who may ask", Kind.PEOPLE, "everyone", required=False)
    empty = modals.view(form(anyone), Context(HERE), [])
    assert modals.submitted_values(values(empty), context)[0] == {"who": ""}


def test_a_mistake_is_shown_at_its_field() -> None:
    view, _ = drawn(PROMPT)
    assert modals.block_of("prompt", view) == "prompt:0"
    assert modals.block_of("model", view) == ""


@pytest.mark.parametrize("metadata", ["", "{}", "[1]", "null"])
def test_what_we_did_not_write_is_not_read(metadata: str) -> None:
    with pytest.raises((ValueError, TypeError)):
        Context.of(metadata, "slack", "T1")
