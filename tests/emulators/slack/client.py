"""Slack's client: use of controls, commands and views by people.

Rule: a person can only do what the client allows. Other actions raise ValueError, or
KeyError for an unknown name. The payloads for the app are in interactions.py. The
emulator exposes these methods.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.emulators.slack import controls, fields, interactions
from tests.emulators.slack.blocks import Json
from tests.emulators.slack.controls import BUTTONS, MENUS, Control
from tests.emulators.slack.ephemeral import Whisper
from tests.emulators.slack.files import Files
from tests.emulators.slack.hooks import Hooks
from tests.emulators.slack.screens import Home, Modal
from tests.emulators.slack.socketmode import Delivery, SocketMode
from tests.emulators.slack.triggers import Triggers
from tests.emulators.slack.views import View, Views
from tests.emulators.slack.world import Message, World

#: A modal, home tab or ephemeral message, or its id.
Handle = Modal | Home | Whisper | str


class Client:
    """Slack's client, for all people."""

    def __init__(
        self,
        world: World,
        *,
        socket: SocketMode,
        triggers: Triggers,
        views: Views,
        hooks: Hooks,
        files: Files,
        host: Callable[[], str],
        emit: Callable[..., None],
    ) -> None:
        #: Whether mentions in commands arrive with their ids (A16 `should_escape`).
        self.escapes = True
        self._world = world
        self._socket = socket
        self._triggers = triggers
        self._views = views
        self._hooks = hooks
        self._files = files
        self._host = host
        self._emit = emit

    # Commands and shortcuts.

    def command(
        self,
        user: str,
        channel: str,
        command: str,
        text: str = "",
        *,
        thread_ts: str | None = None,
    ) -> Delivery:
        """Type a slash command, in Slack's notation (A6).

        The payload of the app's ack is shown as a message, and is in `.answer`. Raises
        ValueError in a thread, and for people of another organisation (A10).
        """
        if thread_ts is not None:
            raise ValueError("slash commands cannot be used in threads")
        self._at_home(user)
        place = self._world.channels[channel]
        if place.private and user not in place.members:
            raise ValueError(f"{user} does not see {channel}")
        place.members.add(user)
        names = self._world.names
        said = names.escaped(text) if self.escapes else names.bare(text)
        payload = interactions.slash_command(self._world, user, channel, command, said)
        payload |= {
            "trigger_id": self._triggers.issue(user),
            "response_url": self._hooks.issue(user, channel),
        }

        def done(delivery: Delivery) -> None:
            self._hooks.answered(user, channel, delivery.answer)

        return self._socket.deliver(
            payload, kind="slash_commands", accepts_answer=True, done=done
        )

    def shortcut(self, user: str, channel: str, ts: str, callback_id: str) -> Delivery:
        """Use a message shortcut. Threads have them too (A10).

        Raises ValueError for people of another organisation (A14).
        """
        self._at_home(user)
        message = self._message(user, channel, ts)
        payload = interactions.message_action(
            self._world, user, message, callback_id=callback_id
        )
        payload |= {
            "trigger_id": self._triggers.issue(user),
            "response_url": self._hooks.issue(user, channel),
        }
        return self._interact(payload)

    # Messages, including ephemeral ones.

    def press(self, user: str, channel: str, ts: str, action: str) -> Delivery:
        """Press a button of a message, by its action_id or label.

        Raises KeyError if the message has no such button.
        """
        return self._on_message(user, self._found(user, channel, ts), action)

    def choose(
        self,
        user: str,
        channel: str,
        ts: str,
        action: str,
        names: str | Sequence[str],
    ) -> Delivery:
        """Choose from a menu of a message, by labels or values of options."""
        message = self._found(user, channel, ts)
        return self._on_message(user, message, action, names)

    def press_feedback(self, user: str, channel: str, ts: str, good: bool) -> Delivery:
        """Press a feedback button of an answer (A8.2). Raises KeyError if it has
        none."""
        message = self._message(user, channel, ts)
        found = controls.controls(message.blocks or [])
        pairs = [each for each in found if each.kind == "feedback_buttons"]
        if not pairs:
            raise KeyError(f"{ts} does not ask for an opinion")
        pair = pairs[0]
        side = pair.element["positive_button" if good else "negative_button"]
        return self._used(user, message, pair, {"value": side.get("value", "")})

    def ephemerals(self, user: str, channel: str | None = None) -> list[Whisper]:
        """Return the visible ephemeral messages to one person, oldest first."""
        return [
            whisper
            for whisper in self._world.ephemeral
            if whisper.user == user
            and whisper.shown
            and not whisper.gone
            and channel in (None, whisper.channel)
        ]

    # Modals and the home tab.

    def modal(self, user: str) -> Modal | None:
        """Return the topmost modal of a person, or None."""
        stack = self._views.stack(user)
        return Modal.of(stack[-1], self._views.json(stack[-1])) if stack else None

    def home(self, user: str) -> Json | None:
        """Return the JSON of the home tab that the app published for a person, or
        None."""
        view = self._views.homes.get(user)
        return self._views.json(view) if view else None

    def page(self, user: str) -> Home | None:
        """Return the home tab as a person sees it, or None."""
        view = self._views.homes.get(user)
        return Home.of(view, self._views.json(view)) if view else None

    def open_home(self, user: str, *, tab: str = "home") -> None:
        """Open the app's tab "home" or "messages" (A1.4)."""
        self._at_home(user)
        if tab == "home" and not self._views.home_tab:
            raise ValueError("the app has no home tab")
        view = self.home(user) if tab == "home" else None
        self._emit(
            "app_home_opened",
            user=user,
            channel=self._world.direct(user).id,
            tab=tab,
            **({"view": view} if view else {}),
        )

    def press_in(self, handle: Handle, user: str, action: str) -> Delivery:
        """Press a button in a modal, the home tab or an ephemeral message."""
        view = self._open(handle, user)
        if isinstance(view, Whisper):
            return self._on_message(user, view, action)
        control = controls.find(controls.controls(view.blocks), action, BUTTONS)
        return self._used_in(view, control, {})

    def choose_in(
        self, handle: Handle, user: str, action: str, names: str | Sequence[str]
    ) -> Delivery:
        """Choose from a menu in a modal, the home tab or an ephemeral message."""
        view = self._open(handle, user)
        if isinstance(view, Whisper):
            return self._on_message(user, view, action, names)
        control = controls.find(_menus(view), action, MENUS)
        self._offers(user, control, names)
        state = controls.chosen(control.element, names)
        view.typed[control.block, control.action] = state
        return self._used_in(view, control, state)

    def fill(self, user: str, values: Mapping[str, Any]) -> None:
        """Fill in the inputs of the topmost modal. `values` are by block_id, action_id
        or label: a text, labels of options, ids of people, or files by name.

        Raises ValueError for a value that the client would not accept.
        """
        view = self._top(user)
        for name, value in values.items():
            block = _input(view, name)
            element = block["element"]
            if element["type"] == "file_input":
                value = self._attached(element, value)
            state = fields.filled(element, value)
            view.typed[block["block_id"], element["action_id"]] = state

    def submit(self, user: str, values: Mapping[str, Any] | None = None) -> Delivery:
        """Fill in the topmost modal and submit it (A10).

        When the delivery is acknowledged, the app's answer has been carried out. Raises
        ValueError if the client would not submit the modal.
        """
        self.fill(user, values or {})
        view = self._top(user)
        if not view.given.get("submit"):
            raise ValueError(f"{view.id} has no button to send it off")
        for block in view.blocks:
            if block["type"] == "input":
                state = view.state(block, block["element"])
                if fields.missing(block, state):
                    label = fields.field(block, state).label
                    raise ValueError(f"{label!r} needs to be filled in")
        payload = self._about(view, "view_submission")

        def done(delivery: Delivery) -> None:
            if delivery.acked:
                self._views.answered(view, delivery.answer)
            else:
                self._views.trouble(view)

        return self._interact(payload, done=done)

    def close(self, user: str) -> Delivery | None:
        """Close the topmost modal. The modal below it shows again.

        The app is told only if the modal has `notify_on_close`.
        """
        view = self._top(user)
        stack = self._views.stack(user)
        if view.given.get("clear_on_close"):
            stack.clear()
        else:
            stack.remove(view)
        self._world.changes.mark()
        if not view.given.get("notify_on_close"):
            return None
        return self._interact(self._about(view, "view_closed"))

    # Internal methods.

    def _at_home(self, user: str) -> None:
        if self._world.users[user].team != self._world.team:
            raise ValueError(f"{user} is of another organisation")

    def _message(self, user: str, channel: str, ts: str) -> Message:
        place = self._world.channels[channel]
        if place.private and user not in place.members:
            raise ValueError(f"{user} does not see {channel}")
        return self._world.messages[channel][ts]

    def _found(self, user: str, channel: str, ts: str) -> Message | Whisper:
        for whisper in self._world.ephemeral:
            if (whisper.channel, whisper.ts) == (channel, ts):
                self._sees(user, whisper)
                return whisper
        return self._message(user, channel, ts)

    def _sees(self, user: str, whisper: Whisper) -> None:
        if whisper not in self.ephemerals(user):
            raise ValueError(f"{user} does not see {whisper.ts}")

    def _open(self, handle: Handle, user: str) -> View | Whisper:
        """Return the view or message of `handle`. Raises ValueError if `user` does not
        see it."""
        if isinstance(handle, Whisper):
            self._sees(user, handle)
            return handle
        name = handle if isinstance(handle, str) else handle.id
        home = self._views.homes.get(user)
        for view in [*self._views.stack(user)[-1:], *([home] if home else [])]:
            if view.id == name:
                return view
        raise ValueError(f"{user} does not see {name}")

    def _top(self, user: str) -> View:
        stack = self._views.stack(user)
        if not stack:
            raise ValueError(f"{user} has no modal open")
        return stack[-1]

    def _on_message(
        self,
        user: str,
        message: Message | Whisper,
        action: str,
        names: str | Sequence[str] | None = None,
    ) -> Delivery:
        kinds = BUTTONS if names is None else MENUS
        found = controls.controls(message.blocks or [])
        control = controls.find(found, action, kinds)
        if names is not None:
            self._offers(user, control, names)
        state = {} if names is None else controls.chosen(control.element, names)
        return self._used(user, message, control, state)

    def _offers(self, user: str, control: Control, names: str | Sequence[str]) -> None:
        """Raise ValueError if a menu of conversations does not offer one of `names`. It
        offers the conversations that the person sees and that its filter includes
        (slack_sdk's ConversationSelectElement)."""
        if control.kind != "conversations_select":
            return
        include = (control.element.get("filter") or {}).get("include")
        for name in [names] if isinstance(names, str) else names:
            place = self._world.channels[name]
            kind = {"channel": "public", "group": "private"}.get(place.kind, place.kind)
            seen = kind == "public" or user in place.members
            if not seen or (include is not None and kind not in include):
                raise ValueError(f"{user} is not offered {name}")

    def _used(
        self, user: str, message: Message | Whisper, control: Control, state: Json
    ) -> Delivery:
        values = interactions.values(message.blocks or [])
        if control.kind in MENUS:
            values[control.block][control.action] = state
        payload = {
            **interactions.block_actions(self._world, user, control, state),
            **interactions.on_message(self._world, message),
            "state": {"values": values},
            "trigger_id": self._triggers.issue(user),
            "response_url": self._hooks.issue(user, message.channel, message),
        }
        return self._interact(payload)

    def _used_in(self, view: View, control: Control, state: Json) -> Delivery:
        user = view.user
        payload = {
            **interactions.block_actions(self._world, user, control, state),
            "container": {"type": "view", "view_id": view.id},
            "view": self._views.json(view),
            "trigger_id": self._triggers.issue(user, view=view.id),
        }
        return self._interact(payload)

    def _about(self, view: View, kind: str) -> Json:
        shown = self._views.json(view)
        payload = interactions.view_event(self._world, view.user, shown, kind=kind)
        if kind == "view_submission":
            payload["trigger_id"] = self._triggers.issue(view.user, view=view.id)
        return payload

    def _interact(
        self, payload: Json, *, done: Callable[[Delivery], None] | None = None
    ) -> Delivery:
        return self._socket.deliver(
            payload, kind="interactive", accepts_answer=True, done=done
        )

    def _attached(self, element: Json, value: Any) -> list[Json]:
        pairs = list(value.items()) if isinstance(value, Mapping) else list(value)
        fields.accepted(element, [name for name, _ in pairs])
        return [
            self._files.add(name, content, host=self._host()) for name, content in pairs
        ]


def _menus(view: View) -> list[Control]:
    """Return the menus whose use sends a payload at once. Menus in inputs only do with
    `dispatch_action`."""
    told = [
        {**block, "type": "section", "element": None, "accessory": block["element"]}
        if block["type"] == "input" and block.get("dispatch_action")
        else block
        for block in view.blocks
    ]
    return list(controls.controls(told))


def _input(view: View, name: str) -> Json:
    """Return the input with this block_id, action_id or label. Raises KeyError for an
    unknown name, ValueError for an ambiguous one."""
    inputs = [block for block in view.blocks if block["type"] == "input"]
    seen = [
        (block, fields.field(block, view.state(block, block["element"])))
        for block in inputs
    ]
    for key in ("block_id", "action_id", "label"):
        named = [block for block, field in seen if getattr(field, key) == name]
        if len(named) > 1:
            raise ValueError(f"{len(named)} inputs are called {name!r}")
        if named:
            return named[0]
    there = [f"{field.block_id} ({field.label})" for _, field in seen]
    raise KeyError(f"no input is called {name!r}, only {there}")
