"""Converts forms to modals, and reads submitted modals. Pure.

An input holds 3,000 characters (facts A5.4), and a prompt has up to 20,000. So a long
text is divided among several inputs, cut at line ends. The modal stores the separator
at each cut, so that an unchanged text is returned exactly. The text can also be given
as a file.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from adapters.slack.blocks import TITLE_CHARS, options, plain, sections
from bot.domain.person import EVERYONE
from bot.domain.scope import Scope
from bot.messages import labels
from bot.text.numbers import number
from bot.ui.elements import Choice, Command, Field, Form, Kind

FORM = "form"

INPUT_CHARS = 3_000
# The most characters in each of several inputs, to leave room for additions.
PIECE_CHARS = 2_800

LABEL_CHARS, HINT_CHARS = 150, 150

#: Slack's placeholders for the names of direct messages and private channels (facts
#: A10).
NAMELESS = ("directmessage", "privategroup")

#: The action_id of an input's element.
VALUE = "v"
USERS, GROUPS, FILE = "users", "groups", "file"


@dataclass(frozen=True, slots=True)
class Context:
    """The place that a modal is about, and how the modal was opened."""

    place: Scope
    line: str = ""
    #: Whether the modal was opened from the Home tab, which is updated after a change.
    from_home: bool = False
    #: Whether `place` comes from the modal and not from Slack, so that it must be
    #: checked.
    claimed: bool = False
    #: The separators between the pieces of each long text.
    joiners: Mapping[str, Sequence[str]] = ()  # type: ignore[assignment]
    #: The name of the channel, "" if Slack did not send it; not stored in the modal.
    channel_name: str = ""

    @property
    def metadata(self) -> str:
        """The context as JSON, to be stored in the modal."""
        place = [self.place.channel, self.place.thread]
        return json.dumps(
            [place, self.line, self.from_home, dict(self.joiners)],
            separators=(",", ":"),
        )

    @classmethod
    def of(cls, metadata: str, platform: str, workspace: str) -> "Context":
        """Parse `metadata`. Raises ValueError if the bot did not write it."""
        try:
            place, line, from_home, joiners = json.loads(metadata)
        except RecursionError:
            raise ValueError("it nests too deep") from None
        channel, thread = place
        if not all(isinstance(each, str) for each in (channel, thread, line)):
            raise ValueError("not written by us")
        there = Scope(platform, workspace, channel, thread)
        return cls(there, line, bool(from_home), claimed=True, joiners=joiners)


def channel_name(name: object) -> str:
    """Return the name of a channel in a payload; "" if it is missing or a
    placeholder."""
    return "" if name in NAMELESS else str(name or "")


def view(form: Form, context: Context, groups: Sequence[Choice]) -> dict[str, Any]:
    """Return `form` as a modal; `groups` are the workspace's user groups."""
    joiners: dict[str, list[str]] = {}
    blocks: list[dict[str, Any]] = list(sections(form.about))
    for field in form.fields:
        blocks += _blocks(field, groups, joiners)
    line = form.command.line
    name = context.channel_name
    names = {context.place.channel: f"#{name}"} if name else {}
    carried = Context(context.place, line, context.from_home, joiners=joiners)
    return {
        "type": "modal",
        "callback_id": FORM,
        "private_metadata": carried.metadata,
        "title": plain(form.titled(names, TITLE_CHARS)),
        "submit": plain(form.submit[:TITLE_CHARS]),
        "close": plain(labels.CANCEL),
        "blocks": blocks,
    }


def command(context: Context) -> Command:
    """Return the command of a submitted form, without its values."""
    return Command.of_line(context.line)


def submitted_values(
    values: Mapping[str, Mapping[str, Any]], context: Context
) -> tuple[dict[str, str], dict[str, Mapping[str, Any]]]:
    """Return the submitted texts and files, each by field."""
    texts: dict[str, str] = {}
    files: dict[str, Mapping[str, Any]] = {}
    pieces: dict[str, dict[int, str]] = {}
    people: dict[str, list[str]] = {}
    for block, elements in values.items():
        name, _, part = block.partition(":")
        state: Mapping[str, Any] = next(iter(elements.values()), {})
        if part == FILE:
            if given := state.get("files"):
                files[name] = given[0]
        elif part in (USERS, GROUPS):
            people.setdefault(name, []).extend(_chosen_values(part, state))
        elif part:
            nth = number(part) or 0
            pieces.setdefault(name, {})[nth] = state.get("value") or ""
        elif state.get("type") == "static_select":
            texts[name] = (state.get("selected_option") or {}).get("value", "")
        else:
            texts[name] = state.get("value") or ""
    for name, found in pieces.items():
        joiners = dict(context.joiners).get(name, ())
        texts[name] = _join([found[nth] for nth in sorted(found)], joiners)
    return texts | {name: " ".join(each) for name, each in people.items()}, files


def block_of(field: str, view: Mapping[str, Any]) -> str:
    """Return the id of the block at which an error in `field` is shown."""
    blocks = (str(each.get("block_id", "")) for each in view.get("blocks") or ())
    return next((b for b in blocks if b.partition(":")[0] == field), "")


def split_text(text: str, limit: int = PIECE_CHARS) -> tuple[list[str], list[str]]:
    """Return `text` in pieces of at most `limit` characters, and the separators."""
    pieces, joiners = [], []
    while len(text) > limit:
        cut = text.rfind("\n", 1, limit + 1)
        joiners.append("\n" if cut > 0 else "")
        end = cut if cut > 0 else limit
        pieces.append(text[:end])
        text = text[end + len(joiners[-1]) :]
    return [*pieces, text], joiners


def _join(pieces: Sequence[str], joiners: Sequence[str]) -> str:
    text = ""
    for nth, piece in enumerate(pieces):
        if piece:
            between = joiners[nth - 1] if 0 < nth <= len(joiners) else "\n"
            text = f"{text}{between}{piece}" if text else piece
    return text


def _chosen_values(part: str, state: Mapping[str, Any]) -> Iterator[str]:
    if part == USERS:
        yield from (f"user:{each}" for each in state.get("selected_users") or ())
    else:
        chosen = state.get("selected_options") or ()
        yield from (f"group:{each['value']}" for each in chosen)


def _blocks(
    field: Field, groups: Sequence[Choice], joiners: dict[str, list[str]]
) -> Iterator[dict[str, Any]]:
    if field.kind is Kind.CHOICE:
        yield _input(field.name, field, _select(field))
    elif field.kind is Kind.PEOPLE:
        yield from _people(field, groups)
    elif field.kind is Kind.TEXT and field.most > INPUT_CHARS:
        yield from _long(field, joiners)
    else:
        element = _text(field.value, field.kind is Kind.TEXT)
        if field.placeholder:
            element["placeholder"] = plain(field.placeholder)
        element["max_length"] = min(INPUT_CHARS, max(field.most, len(field.value), 1))
        yield _input(field.name, field, element)


def _long(field: Field, joiners: dict[str, list[str]]) -> Iterator[dict[str, Any]]:
    pieces, joiners[field.name] = split_text(field.value)
    inputs = -(-field.most // PIECE_CHARS)
    shown = [*pieces, ""][: max(inputs, len(pieces))]
    for nth, piece in enumerate(shown):
        label = field.label if nth == 0 else labels.continued(field=field.label)
        hint = field.hint if nth == 0 else ""
        element = _text(piece, multiline=True) | {"max_length": INPUT_CHARS}
        # No input can be required, since a file may be given instead.
        yield _input(f"{field.name}:{nth}", field, element, label, hint, optional=True)
    hint = labels.instead_of_text(most=field.most)
    file = {"type": "file_input", "action_id": VALUE, "max_files": 1}
    file["filetypes"] = ["txt", "md", "text", "markdown", "yaml", "yml"]
    label = labels.OR_TEXT_FILE
    yield _input(f"{field.name}:{FILE}", field, file, label, hint, optional=True)


def _people(field: Field, groups: Sequence[Choice]) -> Iterator[dict[str, Any]]:
    chosen = [] if field.value == EVERYONE else field.value.split()
    users = [w.removeprefix("user:") for w in chosen if w.startswith("user:")]
    named = {w.removeprefix("group:") for w in chosen if w.startswith("group:")}
    menu: dict[str, Any] = {"type": "multi_users_select", "action_id": VALUE}
    if users:
        menu["initial_users"] = users
    yield _input(f"{field.name}:{USERS}", field, menu, optional=True)
    if groups:
        every = options(groups)
        many = {"type": "multi_static_select", "action_id": VALUE, "options": every}
        if initial := [each for each in every if each["value"] in named]:
            many["initial_options"] = initial
        label = labels.user_groups(field=field.label)
        yield _input(f"{field.name}:{GROUPS}", field, many, label, "", optional=True)


def _select(field: Field) -> dict[str, Any]:
    every = options(field.choices)
    chosen = [each for each in every if each["value"] == field.value]
    initial = {"initial_option": chosen[0]} if chosen else {}
    return {
        "type": "static_select",
        "action_id": VALUE,
        "options": every,
        **initial,
    }


def _text(value: str, multiline: bool) -> dict[str, Any]:
    element: dict[str, Any] = {"type": "plain_text_input", "action_id": VALUE}
    element["multiline"] = multiline
    return element | ({"initial_value": value} if value else {})


def _input(
    block: str,
    field: Field,
    element: dict[str, Any],
    label: str | None = None,
    hint: str | None = None,
    *,
    optional: bool | None = None,
) -> dict[str, Any]:
    text = field.hint if hint is None else hint
    return {
        "type": "input",
        "block_id": block,
        "optional": not field.required if optional is None else optional,
        "label": plain((label or field.label)[:LABEL_CHARS]),
        "element": element,
        **({"hint": plain(text[:HINT_CHARS])} if text else {}),
    }
