"""Finds the controls of a message or a view by name, and returns their states.

Rule: the name of a control is its action_id or its label. A name of several controls is
refused, because it would be ambiguous for a person too.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tests.emulators.slack import blocks as kit
from tests.emulators.slack import elements
from tests.emulators.slack.blocks import Json
from tests.emulators.slack.elements import words

#: Elements with a choice of one or several options.
MENUS = (
    "static_select",
    "multi_static_select",
    "users_select",
    "multi_users_select",
    "conversations_select",
    "checkboxes",
    "radio_buttons",
)
BUTTONS = ("button", "icon_button")


@dataclass(frozen=True, slots=True)
class Control:
    """A button, a menu or a pair of feedback buttons."""

    #: The type of the element, for example "button" or "static_select".
    kind: str
    action: str
    block: str
    #: The text of a button or a closed menu.
    label: str
    #: A button's value.
    value: str
    #: The texts of a menu's options.
    options: tuple[str, ...]
    #: The texts of the options that are chosen at first.
    chosen: tuple[str, ...]
    #: The element as the app sent it.
    element: Json


def controls(blocks: Sequence[Json]) -> tuple[Control, ...]:
    """Return the controls of `blocks` from top to bottom, without inputs."""
    return tuple(
        _control(element, str(block.get("block_id", "")))
        for block in blocks
        if block["type"] != "input"
        for element in kit.parts(block)
    )


def find(found: Sequence[Control], name: str, kinds: Sequence[str]) -> Control:
    """Return the control with this `name`.

    Raises KeyError if there is none of these `kinds`, and ValueError if there are
    several.
    """
    usable = [each for each in found if each.kind in kinds]
    named = [each for each in usable if each.action == name] or [
        each for each in usable if each.label == name
    ]
    if not named:
        there = [f"{each.action} ({each.label})" for each in found]
        raise KeyError(f"nothing here is called {name!r}, only {there}")
    if len(named) > 1:
        raise ValueError(f"{len(named)} things here are called {name!r}")
    return named[0]


def option(element: Json, name: str) -> Json:
    """Return the option of a menu with this label or value.

    Raises ValueError if the menu does not offer it.
    """
    offered = elements.options(element)
    for each in offered:
        if name in (words(each), each["value"]):
            return each
    raise ValueError(f"{name!r} is not offered, only {[words(o) for o in offered]}")


def chosen(element: Json, names: str | Sequence[str]) -> Json:
    """Return the state of a menu after a person has chosen `names` (A10).

    Raises ValueError for a name that the menu does not offer.
    """
    kind = element["type"]
    several = [names] if isinstance(names, str) else list(names)
    if kind == "multi_users_select":
        return {"type": kind, "selected_users": several}
    if kind in ("multi_static_select", "checkboxes"):
        picked = [option(element, name) for name in several]
        return {"type": kind, "selected_options": picked}
    (name,) = several or [""]
    if kind == "users_select":
        return {"type": kind, "selected_user": name or None}
    if kind == "conversations_select":
        return {"type": kind, "selected_conversation": name or None}
    return {"type": kind, "selected_option": option(element, name) if name else None}


def initial(element: Json) -> Json:
    """Return the state of a menu before anybody touches it (A10)."""
    kind = element["type"]
    if kind == "multi_users_select":
        return {"type": kind, "selected_users": element.get("initial_users") or []}
    if kind in ("multi_static_select", "checkboxes"):
        return {"type": kind, "selected_options": element.get("initial_options") or []}
    if kind == "users_select":
        return {"type": kind, "selected_user": element.get("initial_user")}
    if kind == "conversations_select":
        chosen = element.get("initial_conversation")
        return {"type": kind, "selected_conversation": chosen}
    return {"type": kind, "selected_option": element.get("initial_option")}


def reads(state: Json) -> tuple[str, ...]:
    """Return a state as a person reads it: labels of options, ids of people, or the
    text."""
    return tuple(_reads(state))


def _reads(state: Json) -> Iterator[str]:
    single: list[Any] = [state.get("selected_option"), *state.get("files", [])]
    for each in filter(None, [*single, *state.get("selected_options", [])]):
        yield words(each) or each.get("name", "")
    alone = [state.get("selected_user"), state.get("selected_conversation")]
    for each in [*state.get("selected_users", []), *alone]:
        yield from [each] if each else []
    yield from [state["value"]] if state.get("value") else []


def _control(element: Json, block: str) -> Control:
    menu = element["type"] in MENUS
    label = words(element) or words({"text": element.get("placeholder")})
    return Control(
        kind=element["type"],
        action=element.get("action_id", ""),
        block=block,
        label=label,
        value=element.get("value") or "",
        options=tuple(words(each) for each in elements.options(element)),
        chosen=reads(initial(element)) if menu else (),
        element=element,
    )
