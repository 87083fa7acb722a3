"""Modals and home tabs: views.open, push, update and publish (A10, sizes A5.4).

Rule: an invalid view gives `invalid_arguments` with a sentence that points at the
fault. client.py has the actions of people.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.emulators.slack import blocks as kit
from tests.emulators.slack import controls, elements, fields
from tests.emulators.slack.blocks import Json
from tests.emulators.slack.calls import Call, Refused
from tests.emulators.slack.elements import words
from tests.emulators.slack.triggers import Triggers
from tests.emulators.slack.world import World

#: A5.4: bytes of a view as JSON.
MOST_BYTES = 250_000
#: A5.4: characters of title, submit and close, of private_metadata, and of ids.
MOST_TITLE, MOST_METADATA, MOST_ID = 24, 3_000, 255
#: views.push: "Currently the limit is 3."
MOST_STACKED = 3

#: The client's message if the app did not accept a submission in time.
TROUBLE = "We had some trouble connecting. Try again?"


@dataclass(slots=True, eq=False)
class View:
    """A view on somebody's screen."""

    id: str
    user: str
    #: The view as the app sent it, with ids where they were missing.
    given: Json
    hash: str
    root: str
    previous: str | None = None
    #: The values of inputs, by block_id and action_id.
    typed: dict[tuple[str, str], Json] = field(default_factory=dict)
    #: The errors beside inputs, by block_id; "" for an error above all inputs.
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def blocks(self) -> list[Json]:
        """The blocks of the view from top to bottom."""
        blocks: list[Json] = self.given["blocks"]
        return blocks

    def state(self, block: Json, element: Json) -> Json:
        """Return the current state of an input or menu."""
        at = (block["block_id"], element["action_id"])
        return self.typed.get(at) or fields.initial(element)

    def values(self) -> Json:
        """Return `state.values`: the states of all inputs and menus, by block and
        action (A10)."""
        found: Json = {}
        for block in self.blocks:
            for element in kit.parts(block):
                if block["type"] == "input" or element["type"] in controls.MENUS:
                    state = self.state(block, element)
                    row = found.setdefault(block["block_id"], {})
                    row[element["action_id"]] = state
        return found


class Views:
    """The views that the app opened."""

    def __init__(self, world: World, triggers: Triggers) -> None:
        #: Whether the app has a home tab (A16 `home_tab_enabled`).
        self.home_tab = True
        #: The home tabs, by user.
        self.homes: dict[str, View] = {}
        self._world = world
        self._triggers = triggers
        #: The modals of each user; the last one is on top.
        self._stacks: dict[str, list[View]] = {}

    def methods(self) -> Mapping[str, Callable[[Call], Json]]:
        """Return the methods by name."""
        return {
            "views.open": self._open,
            "views.push": self._push,
            "views.update": self._update,
            "views.publish": self._publish,
        }

    def stack(self, user: str) -> list[View]:
        """Return the modals of a person; the last one is on top."""
        return self._stacks.setdefault(user, [])

    def json(self, view: View) -> Json:
        """Return the JSON of a view in responses and payloads (A10)."""
        given = view.given
        return {
            "id": view.id,
            "team_id": self._world.team,
            "type": given["type"],
            "callback_id": given.get("callback_id", ""),
            "external_id": given.get("external_id", ""),
            "private_metadata": given.get("private_metadata", ""),
            "title": given.get("title"),
            "submit": given.get("submit"),
            "close": given.get("close"),
            "blocks": view.blocks,
            "state": {"values": view.values()},
            "hash": view.hash,
            "clear_on_close": bool(given.get("clear_on_close")),
            "notify_on_close": bool(given.get("notify_on_close")),
            "previous_view_id": view.previous,
            "root_view_id": view.root,
            "app_id": self._world.app,
            "app_installed_team_id": self._world.team,
            "bot_id": self._world.bot.bot,
        }

    def answered(self, view: View, answer: Json | None) -> None:
        """Carry out the app's answer to the submission of `view` (A10).

        An invalid answer leaves the view open with an error message.
        """
        stack = self.stack(view.user)
        # The person may have closed it by now.
        if view in stack:
            view.errors = {}
            try:
                self._obey(stack, view, answer or {})
            except Refused as refusal:
                view.errors = {"": f"{TROUBLE} ({refusal.answer})"}
        self._world.changes.mark()

    def trouble(self, view: View) -> None:
        """Show the error for a submission that was not acknowledged in time. The view
        stays open."""
        view.errors = {"": TROUBLE}
        self._world.changes.mark()

    def _obey(self, stack: list[View], view: View, answer: Json) -> None:
        action = answer.get("response_action")
        if action is None:
            # An empty answer closes this view. The view below it shows again.
            stack.remove(view)
        elif action == "clear":
            stack.clear()
        elif action == "errors":
            view.errors = _errors(view, answer.get("errors"))
        elif action == "update":
            self._replace(view, _checked(answer.get("view"), "modal"))
        elif action == "push":
            self._put(stack, view.user, _checked(answer.get("view"), "modal"))
        else:
            raise Refused("invalid_response_action")

    def _open(self, call: Call) -> Json:
        view = _checked(call.value("view"), "modal")
        self._unused(view)
        trigger = self._triggers.exchange(call.text("trigger_id"))
        stack = self._stacks[trigger.user] = []
        return self._answer(self._put(stack, trigger.user, view))

    def _push(self, call: Call) -> Json:
        view = _checked(call.value("view"), "modal")
        self._unused(view)
        trigger = self._triggers.exchange(call.text("trigger_id"))
        stack = self.stack(trigger.user)
        # Only an interaction in a modal can push another one onto it.
        if not any(each.id == trigger.view for each in stack):
            raise Refused("not_found")
        return self._answer(self._put(stack, trigger.user, view))

    def _update(self, call: Call) -> Json:
        name, external = call.text("view_id"), call.text("external_id")
        for view in self._all():
            if view.id == name or (
                external and view.given.get("external_id") == external
            ):
                break
        else:
            raise Refused("not_found")
        given = _checked(call.value("view"), view.given["type"])
        _compare(call, view)
        self._replace(view, given)
        return self._answer(view)

    def _publish(self, call: Call) -> Json:
        user = call.text("user_id")
        if user not in self._world.users:
            raise _wrong("[ERROR] no such user [json-pointer:/user_id]")
        given = _checked(call.value("view"), "home")
        if not self.home_tab:
            raise Refused("not_enabled")
        view = self.homes.get(user)
        if view is None:
            if call.text("hash"):
                raise Refused("hash_conflict")
            view = self.homes[user] = self._made(user, given)
        else:
            _compare(call, view)
            self._replace(view, given)
        return self._answer(view)

    def _answer(self, view: View) -> Json:
        self._world.changes.mark()
        return {"ok": True, "view": self.json(view)}

    def _all(self) -> Iterator[View]:
        yield from self.homes.values()
        for stack in self._stacks.values():
            yield from stack

    def _unused(self, given: Json) -> None:
        external = given.get("external_id")
        used = [each.given.get("external_id") for each in self._all()]
        if external and external in used:
            raise Refused("duplicate_external_id")

    def _put(self, stack: list[View], user: str, given: Json) -> View:
        if len(stack) >= MOST_STACKED:
            raise Refused("push_limit_reached")
        view = self._made(user, given)
        if stack:
            view.root, view.previous = stack[0].id, stack[-1].id
        stack.append(view)
        return view

    def _made(self, user: str, given: Json) -> View:
        name = self._world.number("V")
        view = View(name, user, given, hash="", root=name)
        self._replace(view, given)
        return view

    def _replace(self, view: View, given: Json) -> None:
        """Show `given`. A value stays in an input whose block_id and action_id stay."""
        view.given = {**given, "blocks": kit.stored(given["blocks"], self._number)}
        there = {
            (block["block_id"], element["action_id"])
            for block in view.blocks
            for element in kit.parts(block)
        }
        view.typed = {at: state for at, state in view.typed.items() if at in there}
        view.errors = {}
        seen = f"{view.id} {self._world.next_ts()}"
        digest = hashlib.sha1(seen.encode()).hexdigest()[:8]
        view.hash = f"{self._world.next_ts().partition('.')[0]}.{digest}"

    def _number(self, letter: str) -> str:
        return self._world.number(letter)


def _checked(view: Any, kind: str) -> Json:
    """Return `view` if it is a valid view of this kind. Raises Refused."""
    if not isinstance(view, dict):
        raise _wrong("[ERROR] missing required field: view")
    if len(json.dumps(view).encode()) > MOST_BYTES:
        raise Refused("view_too_large")
    if wrong := next(_problems(view, kind), None):
        raise _wrong(wrong)
    return view


def _problems(view: Json, kind: str) -> Iterator[str]:
    if view.get("type") != kind:
        yield f"[ERROR] must be of type {kind} [json-pointer:/view/type]"
    home = kind == "home"
    for name in ("title", "submit", "close"):
        text = view.get(name)
        at = f"[json-pointer:/view/{name}]"
        if text is None:
            if name == "title" and not home:
                yield f"[ERROR] missing required field: title {at}"
        elif home:
            yield f"[ERROR] a home tab has no {name} {at}"
        elif wrong := elements.plain(text, MOST_TITLE):
            yield f"[ERROR] {wrong} {at}"
    for name, most in (
        ("private_metadata", MOST_METADATA),
        ("callback_id", MOST_ID),
        ("external_id", MOST_ID),
    ):
        if len(view.get(name) or "") > most:
            at = f"[json-pointer:/view/{name}]"
            yield f"[ERROR] must be less than {most + 1} characters {at}"
    blocks = view.get("blocks")
    if not blocks:
        yield "[ERROR] must have at least 1 block [json-pointer:/view/blocks]"
    if wrong := kit.problem(blocks, surface=kind, at="/view/blocks"):
        yield wrong
    inputs = any(block["type"] == "input" for block in blocks or ())
    if inputs and not home and not view.get("submit"):
        # Slack's page on views: required if a modal has inputs.
        yield "[ERROR] missing required field: submit [json-pointer:/view]"


def _errors(view: View, errors: Any) -> dict[str, str]:
    """Return the errors to show, by input. Raises Refused for an error without an
    input."""
    inputs = {block["block_id"] for block in view.blocks if block["type"] == "input"}
    if not isinstance(errors, dict) or not errors or not errors.keys() <= inputs:
        raise Refused("invalid_errors", there=sorted(inputs))
    return {name: str(text) for name, text in errors.items()}


def _compare(call: Call, view: View) -> None:
    wanted = call.text("hash")
    if wanted and wanted != view.hash:
        raise Refused("hash_conflict")


def _wrong(message: str) -> Refused:
    return Refused("invalid_arguments", response_metadata={"messages": [message]})


def title(view: View, name: str = "title") -> str:
    """Return the title of a view, or the label of its `submit` or `close` button."""
    return words({"text": view.given.get(name)})
