"""Checks the interactive elements of Block Kit, and the blocks that they may be in.

Rule: the sizes are those of A5.4. A function here returns an error as a sentence, or
None. The caller adds the place. No I/O.
"""

from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]

_CHOICES = frozenset(
    {
        *("static_select", "users_select", "conversations_select"),
        *("checkboxes", "radio_buttons"),
    }
)
_SEVERAL = frozenset({"multi_static_select", "multi_users_select"})

#: The elements allowed in each block. Slack allows more. They are refused here, so that
#: every accepted element can be used in the emulator.
WHERE = {
    "actions": _CHOICES | {"button"},
    "accessory": _CHOICES | _SEVERAL | {"button", "image"},
    "context": frozenset({"image", "mrkdwn", "plain_text"}),
    "context_actions": frozenset({"feedback_buttons", "icon_button"}),
    "input": _CHOICES | _SEVERAL | {"file_input", "plain_text_input"},
}

#: A5.4: characters of an action_id, a button's text, value, address and label.
MOST_ID, MOST_LABEL, MOST_VALUE, MOST_URL = 255, 75, 2_000, 3_000
#: A5.4: options of a menu, their text and their value.
MOST_OPTIONS, MOST_OPTION, MOST_OPTION_VALUE = 100, 75, 150
#: Slack's page on these two elements; not in A5.4.
MOST_TICKS = 10
#: A5.4: characters of a placeholder, and of the parts of a confirmation dialog.
MOST_PLACEHOLDER = 150
MOST_CONFIRM = {"title": 100, "text": 300, "confirm": 30, "deny": 30}
#: slack_sdk's ConversationFilter: the kinds of conversations that a filter may name.
KINDS = frozenset({"im", "mpim", "private", "public"})
#: A5.4: the most characters of an input, and files of a file input.
MOST_TYPED, MOST_FILES = 3_000, 10


def words(holder: Any) -> str:
    """Return the text of a block, an element or a text object."""
    text = (holder or {}).get("text") or ""
    return str(text.get("text", "")) if isinstance(text, dict) else str(text)


def problem(element: Any, where: str) -> str | None:
    """Return the error about `element` in a block of type `where`, or None."""
    if not isinstance(element, dict) or element.get("type") not in WHERE[where]:
        kind = element.get("type") if isinstance(element, dict) else element
        return f"unsupported type: {kind}"
    return next(_problems(element), None)


def plain(text: Any, most: int, *, least: int = 1) -> str | None:
    """Return the error about a text object that must be plain text, or None."""
    if not isinstance(text, dict) or text.get("type") != "plain_text":
        return "must be a plain_text object"
    if not least <= len(words({"text": text})) <= most:
        return f"text must have {least} to {most} characters"
    return None


def options(element: Json) -> list[Json]:
    """Return all options of a menu, including those of its groups."""
    groups = element.get("option_groups") or []
    grouped = [option for group in groups for option in group.get("options", [])]
    return [*(element.get("options") or []), *grouped]


def _problems(element: Json) -> Iterator[str]:
    kind = element["type"]
    if len(element.get("action_id", "")) > MOST_ID:
        yield f"action_id must be less than {MOST_ID + 1} characters"
    if wrong := _too_long("placeholder", element.get("placeholder"), MOST_PLACEHOLDER):
        yield wrong
    yield from _confirm(element.get("confirm"))
    if kind == "button":
        yield from _button(element, "button")
        if element.get("style", "primary") not in ("primary", "danger"):
            yield "style must be primary or danger"
    elif kind == "icon_button":
        yield from _button(element, "button")
        if element.get("icon") != "trash":
            yield "icon must be trash"
    elif kind == "feedback_buttons":
        for side in ("positive_button", "negative_button"):
            yield from _button(element.get(side) or {}, side)
    elif kind == "image":
        if not element.get("alt_text"):
            yield "missing required field: alt_text"
    elif kind == "plain_text_input":
        yield from _input(element)
    elif kind == "file_input":
        if not 1 <= element.get("max_files", MOST_FILES) <= MOST_FILES:
            yield f"max_files must be 1 to {MOST_FILES}"
        if not isinstance(element.get("filetypes", []), list):
            yield "filetypes must be a list"
    elif kind == "conversations_select":
        yield from _filter(element.get("filter"))
    elif kind not in ("users_select", "multi_users_select", "mrkdwn", "plain_text"):
        yield from _menu(element)
    elif kind in ("mrkdwn", "plain_text") and not words(element):
        yield "must be more than 0 characters"


def _button(button: Json, name: str) -> Iterator[str]:
    if not 1 <= len(words(button)) <= MOST_LABEL:
        yield f"{name} text must have 1 to {MOST_LABEL} characters"
    if wrong := plain(button.get("text"), MOST_LABEL):
        yield f"{name}: {wrong}"
    if len(button.get("value") or "") > MOST_VALUE:
        yield f"value must be less than {MOST_VALUE + 1} characters"
    if len(button.get("url") or "") > MOST_URL:
        yield f"url must be less than {MOST_URL + 1} characters"
    if len(button.get("accessibility_label") or "") > MOST_LABEL:
        yield f"accessibility_label must be less than {MOST_LABEL + 1} characters"


def _confirm(confirm: Json | None) -> Iterator[str]:
    for name, most in MOST_CONFIRM.items() if confirm is not None else ():
        text = (confirm or {}).get(name)
        if not 1 <= len(words({"text": text})) <= most:
            yield f"{name} of confirm must have 1 to {most} characters"


def _input(element: Json) -> Iterator[str]:
    most = element.get("max_length", MOST_TYPED)
    if not 1 <= most <= MOST_TYPED:
        yield f"max_length must be 1 to {MOST_TYPED}"
    if not 0 <= element.get("min_length", 0) <= most:
        yield "min_length must not be more than max_length"
    # Without a max_length, the general limit applies.
    if len(element.get("initial_value") or "") > most:
        yield f"initial_value must be less than {most + 1} characters"


def _filter(given: Any) -> Iterator[str]:
    """Yield the errors of a filter. Its `include` cannot be empty (slack_sdk's
    ConversationFilter)."""
    if given is None:
        return
    known = {"include", "exclude_bot_users", "exclude_external_shared_channels"}
    if not isinstance(given, dict) or not given or not given.keys() <= known:
        yield "filter must say what to include or to exclude"
        return
    include = given.get("include", ["public"])
    if not include or not set(include) <= KINDS:
        yield f"include of filter must name some of {sorted(KINDS)}"


def _menu(element: Json) -> Iterator[str]:
    kind = element["type"]
    ticks = kind in ("checkboxes", "radio_buttons")
    most = MOST_TICKS if ticks else MOST_OPTIONS
    if "options" in element and "option_groups" in element:
        yield "options and option_groups exclude each other"
    lists = [element.get("options") or []]
    if "option_groups" in element:
        groups = element["option_groups"]
        if not 1 <= len(groups) <= MOST_OPTIONS:
            yield f"must have 1 to {MOST_OPTIONS} option groups"
        lists = [group.get("options") or [] for group in groups]
        for group in groups:
            if wrong := plain(group.get("label"), MOST_OPTION):
                yield f"label of an option group: {wrong}"
    for listed in lists:
        if not 1 <= len(listed) <= most:
            yield f"must have 1 to {most} options"
        for option in listed:
            yield from _option(option, mrkdwn=ticks)
    known = options(element)
    chosen = [
        *filter(None, [element.get("initial_option")]),
        *(element.get("initial_options") or []),
    ]
    if any(option not in known for option in chosen):
        yield "initial_option must exactly match one of the options"


def _option(option: Any, *, mrkdwn: bool) -> Iterator[str]:
    text = option.get("text") if isinstance(option, dict) else None
    if mrkdwn and isinstance(text, dict):
        text = {**text, "type": "plain_text"}
    if wrong := plain(text, MOST_OPTION):
        yield f"option: {wrong}"
    elif not 1 <= len(option.get("value") or "") <= MOST_OPTION_VALUE:
        yield f"option: value must have 1 to {MOST_OPTION_VALUE} characters"
    elif wrong := _too_long("description", option.get("description"), MOST_OPTION):
        yield f"option: {wrong}"


def _too_long(name: str, text: Any, most: int) -> str | None:
    wrong = plain(text, most) if text is not None else None
    return f"{name}: {wrong}" if wrong else None
