"""Blocks in messages are checked against the sizes of A5.4."""

from typing import Any

import pytest

from tests.emulators.slack import blocks as kit
from tests.emulators.slack_app import (
    Json,
    actions,
    asks,
    button,
    menu,
    option,
    plain,
    section,
    typed,
)

ONE = option("v", "One")
FEEDBACK = {
    "type": "feedback_buttons",
    "action_id": "f",
    "positive_button": {"text": plain("Good"), "value": "up"},
    "negative_button": {"text": plain("Bad"), "value": "down"},
}
TRASH = {
    "type": "icon_button",
    "action_id": "t",
    "icon": "trash",
    "text": plain("Delete"),
}
SEVERAL = {"type": "multi_static_select", "action_id": "s", "options": [ONE]}
TICKS = {"type": "checkboxes", "action_id": "c", "options": [ONE] * 10}


def opinions(*elements: Json) -> Json:
    return {"type": "context_actions", "elements": list(elements)}


def context(*elements: Json) -> Json:
    return {"type": "context", "elements": list(elements)}


TAKEN = (
    section("x" * 3_000),
    {"type": "section", "fields": [plain("x" * 2_000)] * 10},
    section("x", accessory=SEVERAL),
    section("x", accessory={"type": "image", "alt_text": "x", "image_url": "x"}),
    actions(*[button(str(number), "x" * 75) for number in range(25)]),
    actions(button("a", "x", value="x" * 2_000, style="danger")),
    actions(
        button(
            "x" * 255,
            "x",
            confirm={
                "title": plain("Sure?"),
                "text": plain("It is gone then."),
                "confirm": plain("Yes"),
                "deny": plain("No"),
            },
        )
    ),
    actions(menu("m", *[option("v" * 150, "x" * 75)] * 100), TICKS),
    actions(menu("m", ONE, placeholder=plain("x" * 150), initial_option=ONE)),
    actions({"type": "conversations_select", "action_id": "c"}),
    actions(
        {
            "type": "conversations_select",
            "filter": {"include": ["public", "private"], "exclude_bot_users": True},
        }
    ),
    actions(
        {
            "type": "static_select",
            "option_groups": [{"label": plain("Group"), "options": [ONE]}],
        }
    ),
    context(*[{"type": "mrkdwn", "text": "*x*"}] * 10),
    opinions(FEEDBACK, TRASH),
    {"type": "header", "text": plain("x" * 150)},
    {"type": "divider"},
    {"type": "markdown", "text": "x" * 12_000},
)


def test_what_a_message_takes() -> None:
    for block in TAKEN:
        assert kit.problem([block]) is None, block


CASES: list[tuple[Any, str]] = [
    ({"type": "section"}, "missing required field: text or fields"),
    (section(""), "more than 0 characters"),
    ({"type": "section", "text": {"text": "x"}}, "plain_text or mrkdwn"),
    ({"type": "section", "fields": [plain("x")] * 11}, "1 to 10 fields"),
    ({"type": "section", "fields": [plain("x" * 2_001)]}, "less than 2001"),
    (section("x", accessory=typed("t")), "unsupported type: plain_text_input"),
    (actions(), "1 to 25 elements"),
    (actions(*[button(str(number), "x") for number in range(26)]), "1 to 25"),
    (actions(button("a", "x"), button("a", "y")), "action_id already exists"),
    (actions(button("x" * 256, "x")), "less than 256"),
    (actions(button("a", "")), "1 to 75"),
    (actions(button("a", "x", value="x" * 2_001)), "less than 2001"),
    (actions(button("a", "x", url="x" * 3_001)), "less than 3001"),
    (actions(button("a", "x", style="pink")), "primary or danger"),
    (actions({**button("a", "x"), "text": {"type": "mrkdwn", "text": "x"}}), "plain"),
    (actions(button("a", "x", confirm={"title": plain("x" * 101)})), "of confirm"),
    (actions(SEVERAL), "unsupported type: multi_static_select"),
    (actions(typed("t")), "unsupported type: plain_text_input"),
    ({"type": "actions", "elements": ["button"]}, "unsupported type: button"),
    (actions(menu("m")), "1 to 100 options"),
    (actions(menu("m", *[ONE] * 101)), "1 to 100 options"),
    (actions(menu("m", option("v", "x" * 76))), "option: text must have 1 to 75"),
    (actions(menu("m", option("v" * 151, "x"))), "value must have 1 to 150"),
    (actions(menu("m", {**ONE, "description": plain("x" * 76)})), "description"),
    (actions(menu("m", ONE, initial_option=option("w", "One"))), "exactly match"),
    (actions(menu("m", ONE, placeholder=plain("x" * 151))), "placeholder"),
    (actions(menu("m", ONE, option_groups=[])), "exclude each other"),
    (actions({"type": "conversations_select", "filter": {}}), "what to include"),
    (
        actions({"type": "conversations_select", "filter": {"include": []}}),
        "name some of",
    ),
    (actions({**TICKS, "options": [ONE] * 11}), "1 to 10 options"),
    (context({"type": "mrkdwn", "text": ""}), "more than 0 characters"),
    (context(button("a", "x")), "unsupported type: button"),
    (context(*[plain("x")] * 11), "1 to 10 elements"),
    (opinions(*[FEEDBACK] * 6), "1 to 5 elements"),
    (opinions(button("a", "x")), "unsupported type: button"),
    (opinions({**FEEDBACK, "negative_button": None}), "negative_button text"),
    (opinions({**TRASH, "icon": "star"}), "icon must be trash"),
    (asks("a", typed("b")), "unsupported type: input"),
    ({"type": "header", "text": plain("x" * 151)}, "less than 151"),
    ({"type": "header", "text": {"type": "mrkdwn", "text": "x"}}, "plain_text"),
]


def test_what_a_message_does_not_take() -> None:
    for block, why in CASES:
        problem = kit.problem([{"type": "divider"}, block])
        assert problem is not None, why
        assert why in problem, why
        assert problem.endswith("[json-pointer:/blocks/1]"), why


def test_what_only_messages_take() -> None:
    for block in ({"type": "markdown", "text": "x"}, opinions(FEEDBACK)):
        for surface in ("modal", "home"):
            problem = kit.problem([block], surface=surface)
            assert problem is not None
            assert "unsupported type" in problem


def table(kind: str = "table", rows: int = 2, columns: int = 2, **more: Any) -> Json:
    cell = {"type": "raw_text", "text": "x"}
    caption = {"caption": "Usage"} if kind == "data_table" else {}
    body = {"rows": [[cell] * columns] * rows}
    return {"type": kind, **caption, **body, **more}


CELL = {"type": "raw_text", "text": "x"}
RICH = {
    "type": "rich_text",
    "elements": [
        {"type": "rich_text_section", "elements": [{"type": "text", "text": "x"}]}
    ],
}


@pytest.mark.parametrize("kind", ["table", "data_table"])
def test_a_table_of_the_largest_size_is_taken(kind: str) -> None:
    assert kit.problem([table(kind, rows=101, columns=20)]) is None
    assert kit.problem([table(kind, rows=2, columns=1)]) is None
    rows = [[CELL, CELL], [RICH, {"type": "raw_number", "value": 1.5, "text": "1.5"}]]
    assert kit.problem([table(kind) | {"rows": rows}]) is None


TOO_LARGE = (
    (table(rows=102), "rows"),
    (table(columns=21), "columns"),
    (table(rows=0), "rows"),
    (
        table(rows=2) | {"rows": [[{"type": "raw_text", "text": ""}]]},
        "0 characters",
    ),
    (table(rows=1) | {"rows": [[{"type": "mrkdwn", "text": "x"}]]}, "unsupported"),
    (table(column_settings=[{}] * 21), "column_settings"),
    (table(rows=1) | {"rows": [[CELL | {"text": "x" * 10_001}]]}, "too many"),
    (table("data_table", rows=1), "rows"),
    (table("data_table", caption=""), "caption"),
    (table("data_table", page_size=101), "page_size"),
    (table("data_table") | {"rows": [[CELL], [CELL, CELL]]}, "same number"),
    (table("data_table") | {"rows": [[RICH], [CELL]]}, "header"),
)


def test_a_table_beyond_its_size_refuses_the_message() -> None:
    for block, why in TOO_LARGE:
        assert why in str(kit.problem([block])), why


def test_all_tables_of_a_message_count() -> None:
    large = table("data_table", rows=2, columns=1)
    large["rows"] = [[CELL], [CELL | {"text": "x" * 6_000}]]
    assert kit.problem([large]) is None
    assert "too many" in str(kit.problem([large, large]))
    assert "only one" in str(kit.problem([table(), table()]))
    assert "unsupported" in str(kit.problem([table("data_table")], surface="home"))
