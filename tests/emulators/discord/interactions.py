"""Use of commands, buttons and forms by people in Discord (B2, B7, B8).

A person can only use what Discord's client shows. An unregistered command, a missing
button and an invalid value raise AssertionError. `stale=True` is for a client that
still shows an older version.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tests.emulators.changes import Changes
from tests.emulators.discord.forms import Forms
from tests.emulators.discord.model import (
    Interaction,
    Json,
    Model,
    SetupError,
    command_access,
    interaction_payload,
    nest_options,
    store_file,
    validate_option_value,
    walk_to_subcommand,
)
from tests.emulators.discord.people import People, Seen, parts

#: Seconds until a person reads that the bot did not respond. B2 says 3, which is too
#: short for a busy machine.
PATIENCE = 60.0

TYPED, ON_MESSAGE = 1, 3
COMMAND, COMPONENT, AUTOCOMPLETE, SUBMIT = 2, 3, 4, 5
BUTTON, MENU = 2, 3
#: B2: the types of options that hold an id, and the part of the payload that describes
#: the object.
_THINGS = {6: "users", 7: "channels", 8: "roles"}
_FILE = 11

#: B2: the types of callback, by the names that the model uses.
_CALLBACKS = {
    "pong": 1,
    "message": 4,
    "deferred": 5,
    "deferred_update": 6,
    "update": 7,
    "autocomplete": 8,
    "modal": 9,
}


@dataclass(frozen=True, slots=True)
class Response:
    """The bot's response in its current state."""

    #: B2: 4 a message, 5 thinking, 6 or 7 an update, 8 choices, 9 a modal.
    type: int
    #: The message that it posted or changed; None if there is none.
    message: Seen | None
    modal: Json | None
    choices: tuple[Json, ...]

    @property
    def flags(self) -> int:
        return self.message.flags if self.message else 0


class Asked:
    """An interaction of a person and its outcome."""

    def __init__(self, model: Model, people: People, record: Interaction) -> None:
        self.id = str(record.id)
        self.token = record.token
        self.user = str(record.user_id)
        self.channel = str(record.channel_id)
        #: The message on which a control was used; "" for a command.
        self.source = ""
        self._model = model
        self._people = people
        self._record = record
        self._asked_at = model.seconds()

    @property
    def acked(self) -> bool:
        """True if the bot has responded in any way."""
        return self._record.responded

    @property
    def response(self) -> Response | None:
        """The bot's first response; None if there is none yet."""
        record = self._record
        if not record.responded or record.response_kind is None:
            return None
        return Response(
            type=_CALLBACKS[str(record.response_kind)],
            message=self._seen(record.message_id),
            modal=record.modal,
            choices=tuple(record.autocomplete_choices or ()),
        )

    @property
    def followups(self) -> list[Seen]:
        """The bot's follow-up messages that still exist."""
        seen = [self._seen(number) for number in self._record.followup_ids]
        return [each for each in seen if each is not None]

    @property
    def error(self) -> str:
        """The error that Discord itself shows the person; "" if none."""
        late = self._model.seconds() - self._asked_at >= PATIENCE
        return "The application did not respond" if late and not self.acked else ""

    def _seen(self, number: int | None) -> Seen | None:
        try:
            return self._people.message(str(number)) if number else None
        except LookupError:
            return None


class Interactions:
    """The interactions of people."""

    def __init__(self, model: Model, people: People, *, changes: Changes) -> None:
        self._model = model
        self._people = people
        self._changes = changes

    def command(
        self, user: str, place: str, name: str, *, stale: bool = False, **options: Any
    ) -> Asked:
        """Type a command. "claude usage" is a subcommand of "claude".

        Options are given by name. A file is `(name, content)`; a user, role or channel
        is an id.
        """
        root, path = self._root(user, place, name, TYPED, stale=stale)
        if stale:
            built = [_untyped(key, value) for key, value in options.items()]
            resolved: Json = {}
            for part in reversed(path):
                built = [{"type": 1, "name": part, "options": built}]
        else:
            leaf, nesting = _leaf(root, path)
            chosen, resolved = self._fill(place, name, leaf, options)
            built = nest_options(root, nesting, chosen)
        data = {**_named(root, TYPED), "options": built, "resolved": resolved}
        return self._send(COMMAND, user, place, data)

    def message_command(
        self, user: str, place: str, message: str, name: str, *, stale: bool = False
    ) -> Asked:
        """Choose a command from the menu of a message."""
        root, _ = self._root(user, place, name, ON_MESSAGE, stale=stale)
        target = self._model.get_message(int(place), int(message))
        data = {
            **_named(root, ON_MESSAGE),
            "target_id": message,
            # B1: the bot may always read the message of a message command.
            "resolved": {"messages": {message: self._model.message(target)}},
        }
        return self._send(COMMAND, user, place, data)

    def autocomplete(
        self, user: str, place: str, name: str, option: str, text: str, **options: Any
    ) -> Asked:
        """Type `text` into an option with autocomplete."""
        root, path = self._root(user, place, name, TYPED)
        leaf, nesting = _leaf(root, path)
        (asked,) = [each for each in leaf["options"] if each["name"] == option]
        assert asked.get("autocomplete"), f"{option} of {name} suggests nothing"
        chosen, _ = self._fill(place, name, leaf, options, partial=True)
        focused = {"name": option, "type": asked["type"], "value": text}
        chosen.append(focused | {"focused": True})
        data = _named(root, TYPED) | {"options": nest_options(root, nesting, chosen)}
        return self._send(AUTOCOMPLETE, user, place, data)

    def click(self, user: str, message: str, custom_id: str) -> Asked:
        """Press the button with this custom_id on a message."""
        return self._use(user, message, custom_id, ())

    def select(
        self, user: str, message: str, custom_id: str, values: Sequence[str]
    ) -> Asked:
        """Choose `values` in the menu with this custom_id on a message."""
        return self._use(user, message, custom_id, values)

    def submit(self, user: str, modal: Asked, values: Json) -> Asked:
        """Submit the form that answered `modal`. `values` are by custom_id."""
        response = modal.response
        assert response is not None, "nothing was answered"
        assert response.modal is not None, "the answer was no form"
        assert user == modal.user, "only who asked sees the form"
        form = response.modal
        fields = {
            each["custom_id"]: each
            for each in parts(form["components"])
            if each.get("custom_id")
        }
        assert set(values) <= set(fields), f"the form has only {sorted(fields)}"
        sheet = Forms(self._model, modal.channel)
        filled = [sheet.filled(each, values) for each in form["components"]]
        data = {"custom_id": form["custom_id"], "components": filled}
        if sheet.resolved:
            data["resolved"] = sheet.resolved
        # B2: the payload of a form that a control opened has the message of the
        # control.
        about = self._people.find(modal.source) if modal.source else None
        shown = None if about is None else self._model.message(about)
        return self._send(SUBMIT, user, modal.channel, data, message=shown)

    def forge(
        self, user: str, place: str, custom_id: str, values: Sequence[str] = ()
    ) -> Asked:
        """Use a control that does not exist, as a program in place of Discord's client
        can. Discord sets the user and the place; the rest of the payload is forged
        (B2)."""
        data: Json = {"component_type": BUTTON, "custom_id": custom_id}
        if values:
            data |= {"component_type": MENU, "values": list(values)}
        return self._send(COMPONENT, user, place, data)

    def forge_form(
        self, user: str, place: str, custom_id: str, texts: Mapping[str, str]
    ) -> Asked:
        """Submit a form that nobody opened."""
        fields = [
            {"type": 18, "component": {"type": 4, "custom_id": name, "value": text}}
            for name, text in texts.items()
        ]
        data: Json = {"custom_id": custom_id, "components": fields}
        return self._send(SUBMIT, user, place, data)

    def commands(self, user: str, place: str) -> list[str]:
        """Return the commands that people are shown when they type "/" (B7)."""
        channel = self._model.get_channel(int(place))
        self._people.join(user, channel.guild_id)
        shown = self._model.visible_commands(user_id=int(user), channel_id=channel.id)
        return [each["name"] for each in shown]

    def _root(
        self, user: str, place: str, name: str, kind: int, *, stale: bool = False
    ) -> tuple[Json, list[str]]:
        """Return the registered command that `name` begins with, and the rest of
        `name`."""
        first, *path = name.split() if kind == TYPED else [name]
        if stale:
            return {"id": str(self._model.snowflake()), "name": first}, path
        channel = self._model.get_channel(int(place))
        found = self._model.find_command(first, channel.guild_id, type=kind)
        assert found is not None, f"no command {first!r} is registered"
        self._people.join(user, channel.guild_id)
        access = command_access(
            self._model, found, user_id=int(user), channel_id=channel.id
        )
        assert access.allowed, f"{user} is not shown {first!r}: {access.reason}"
        return found, path

    def _fill(
        self,
        place: str,
        name: str,
        leaf: Json,
        options: Json,
        *,
        partial: bool = False,
    ) -> tuple[list[Json], Json]:
        """Return the options of a command as they are sent, and the objects in them."""
        declared = {each["name"]: each for each in leaf.get("options") or ()}
        assert set(options) <= set(declared), f"{name} has only {sorted(declared)}"
        missing = [
            each["name"]
            for each in declared.values()
            if each.get("required") and each["name"] not in options
        ]
        assert partial or not missing, f"{name} needs {missing}"
        built, resolved = [], Json()
        for key, value in options.items():
            option = declared[key]
            sent = self._resolve(place, name, option, value, resolved)
            built.append({"name": key, "type": option["type"], "value": sent})
        return built, resolved

    def _resolve(
        self, place: str, name: str, option: Json, value: Any, resolved: Json
    ) -> Any:
        """Return `value` as it is sent, and add the object that it names to
        `resolved`."""
        kind = option["type"]
        if kind in _THINGS:
            resolved.setdefault(_THINGS[kind], {})[value] = self._thing(kind, value)
            return value
        try:
            checked = validate_option_value(name, option, value)
        except SetupError as error:
            raise AssertionError(str(error)) from None
        if kind == _FILE:
            filename, content = checked
            return store_file(self._model, int(place), filename, content, resolved)
        return checked

    def _thing(self, kind: int, value: str) -> Json:
        if kind == 6:
            return self._model.user(int(value))
        if kind == 7:
            bot_sees = {"permissions": "0"}
            return self._model.channel(self._model.get_channel(int(value))) | bot_sees
        return {"id": value}

    def _use(
        self, user: str, message: str, custom_id: str, values: Sequence[str]
    ) -> Asked:
        target = self._people.find(message)
        seen = self._people.seen(target)
        assert seen.ephemeral_for in ("", user), f"{user} does not see {message}"
        found = [
            each
            for each in parts(target.components)
            if each.get("custom_id") == custom_id
        ]
        assert found, f"{message} has only {seen.buttons}"
        control = found[0]
        assert not control.get("disabled"), f"{custom_id} is disabled"
        data: Json = {"component_type": control["type"], "custom_id": custom_id}
        place = str(target.channel_id)
        if control["type"] != BUTTON:
            sheet = Forms(self._model, place)
            data["values"] = sheet.chosen(control, values)
            if sheet.resolved:
                data["resolved"] = sheet.resolved
        return self._send(
            COMPONENT, user, place, data, message=self._model.message(target)
        )

    def _send(
        self,
        kind: int,
        user: str,
        place: str,
        data: Json,
        *,
        message: Json | None = None,
    ) -> Asked:
        channel = self._model.get_channel(int(place))
        self._people.join(user, channel.guild_id)
        record, payload = interaction_payload(
            self._model,
            type=kind,
            channel_id=channel.id,
            guild_id=channel.guild_id,
            user_id=int(user),
            data=data,
        )
        if channel.guild_id is not None:
            payload["guild"] = {"id": str(channel.guild_id), "locale": "en-US"}
            payload["guild"]["features"] = []
            payload["authorizing_integration_owners"] = {"0": str(channel.guild_id)}
        if message is not None:
            payload["message"] = message
            record.source_message_id = int(message["id"])
        late = self._model.seconds() + PATIENCE
        record.initial_response_deadline = datetime.fromtimestamp(late, UTC).isoformat()
        asked = Asked(self._model, self._people, record)
        asked.source = str(message["id"]) if message else ""
        self._model.emit("INTERACTION_CREATE", payload)
        # No other change marks the end of a person's patience.
        loop = asyncio.get_running_loop()
        loop.call_later(PATIENCE + 0.01, self._changes.mark)
        return asked


def _leaf(root: Json, path: list[str]) -> tuple[Json, list[str]]:
    """Return the command at `path` below `root`, and its parents."""
    try:
        return walk_to_subcommand(root, path)
    except SetupError as error:
        raise AssertionError(str(error)) from None


def _named(root: Json, kind: int) -> Json:
    return {"id": root["id"], "name": root["name"], "type": kind}


def _untyped(name: str, value: Any) -> Json:
    """Return an option of a command that is no longer registered."""
    kinds = {bool: 5, int: 4, float: 10}
    return {"name": name, "type": kinds.get(type(value), 3), "value": value}
