"""Converts the core's forms to modals, and submitted modals to values. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import discord
from discord import ui

from adapters.discord import ids, markup
from adapters.discord.components import (
    ABOUT_CHARS,
    DO,
    FILES,
    FORM,
    OPTIONS,
    Drawn,
    carried,
    draw,
    finished_view,
    options,
)
from bot.domain.person import EVERYONE
from bot.messages import controls as messages
from bot.messages import labels
from bot.text import references
from bot.ui.elements import Command, Field, File, Form, Kind, Response

# Discord's limits (facts B7, B8).
INPUT_CHARS = 4_000
TITLE_CHARS = 45
LABEL_CHARS = 45
FIELDS = 5

# Types of components (facts B8).
_MENTIONABLE, _UPLOAD = 7, 19


def modal(
    form: Form,
    guild: int | None,
    *,
    files: bool = False,
    names: Mapping[str, str] | None = None,
) -> ui.Modal:
    """Return `form` as a modal in `guild`, or in direct messages if that is None.
    `names` maps the ids of channels to names, for the title.

    If `files` is True, texts that may exceed an input are requested as files. Raises
    ValueError for a command that no custom_id can carry.
    """
    custom_id = f"{FORM}:{form.command.line}"
    title = form.titled(names or {}, TITLE_CHARS)
    drawn = ui.Modal(title=title, custom_id=custom_id)
    drawn.stop()
    if form.about and len(form.fields) < FIELDS:
        drawn.add_item(ui.TextDisplay(markup.render(form.about, None)))
    for field in form.fields[:FIELDS]:
        drawn.add_item(
            ui.Label(
                text=field.label[:LABEL_CHARS],
                description=_hint(field, files=files)[:ABOUT_CHARS] or None,
                component=_component(field, guild, files=files),
            )
        )
    return drawn


def submitted_values(data: Mapping[str, Any], guild: int | None) -> dict[str, str]:
    """Return the submitted values by field: texts as typed, people as references of the
    core, files as their ids."""
    found = {}
    for each in _leaves(data.get("components") or ()):
        chosen = [str(value) for value in each.get("values") or ()]
        if each["type"] == _MENTIONABLE:
            value = _people(chosen, data.get("resolved") or {}, guild)
        else:
            value = " ".join(chosen) or str(each.get("value") or "")
        found[str(each["custom_id"])] = value
    return found


def uploads(data: Mapping[str, Any]) -> set[str]:
    """Return the names of the fields of a submitted form that hold files."""
    leaves = _leaves(data.get("components") or ())
    return {str(each["custom_id"]) for each in leaves if each["type"] == _UPLOAD}


def overlong(form: Form) -> Field | None:
    """Return the first field of `form` with more text than an input holds, or None."""
    fields = (each for each in form.fields if len(each.value) > INPUT_CHARS)
    return next(fields, None)


def as_file(field: Field, opener: Command, command: str) -> Drawn:
    """Return the text of `field` as a file; `opener` opens its form, and `command` is
    the slash command that takes a file."""
    text = messages.as_file(length=len(field.value), most=INPUT_CHARS, command=command)
    view = finished_view()
    if custom_id := carried(FILES, opener):
        view.add_item(ui.Button(label=labels.GIVE_FILE, custom_id=custom_id))
    return Drawn(text, view, (File(f"{field.name}.txt", field.value),))


def as_text(form: Form) -> Drawn:
    """Return the content of `form` as text, for when Discord refuses the modal."""
    lines = [messages.FORM_REFUSED, *([form.about] if form.about else [])]
    for field in form.fields:
        chosen = [each.label for each in field.choices if each.value == field.value]
        value = (chosen or [field.value])[0]
        if field.kind is Kind.PEOPLE:
            value = references.from_setting(value)
        if value:
            lines.append(f"{field.label}: {value}")
    return draw(Response("\n".join(lines)))


def opener(command: Command) -> Drawn:
    """Return a button that opens the form of `command`: a modal can neither respond to
    a modal nor follow a deferral (facts B2)."""
    custom_id = carried(DO, command)
    if not custom_id:
        return Drawn(messages.NEEDS_A_FORM)
    view = finished_view()
    view.add_item(
        ui.Button(
            label=labels.OPEN_FORM,
            style=discord.ButtonStyle.primary,
            custom_id=custom_id,
        )
    )
    return Drawn(messages.FORM_TO_FILL_IN, view)


def _component(field: Field, guild: int | None, *, files: bool) -> ui.Item[ui.Modal]:
    if files and _may_be_long(field):
        return ui.FileUpload(
            custom_id=field.name,
            required=field.required,
            min_values=int(field.required),
            max_values=1,
        )
    if field.kind is Kind.CHOICE and len(field.choices) <= OPTIONS:
        return ui.Select(
            custom_id=field.name,
            options=options(field.choices, field.value),
            required=field.required,
            min_values=int(field.required),
        )
    if field.kind is Kind.PEOPLE and guild is not None:
        people = _selection(field.value, guild)
        if people is not None:
            return ui.MentionableSelect(
                custom_id=field.name,
                default_values=people,
                required=field.required,
                min_values=int(field.required),
                max_values=OPTIONS,
            )
    text = field.value
    if field.kind is Kind.PEOPLE:
        text = markup.as_typed(text)
    long = field.kind in (Kind.TEXT, Kind.PEOPLE)
    style = discord.TextStyle.paragraph if long else discord.TextStyle.short
    return ui.TextInput(
        custom_id=field.name,
        style=style,
        default=text or None,
        placeholder=field.placeholder or None,
        required=field.required,
        # The current text must always fit.
        max_length=min(INPUT_CHARS, max(field.most, len(text))),
    )


def _hint(field: Field, *, files: bool) -> str:
    if not _may_be_long(field):
        return field.hint
    if files:
        return labels.file_hint(most=field.most)
    return field.hint or labels.input_hint(most=INPUT_CHARS)


def _may_be_long(field: Field) -> bool:
    return field.kind is Kind.TEXT and field.most > INPUT_CHARS


def _selection(people: str, guild: int) -> list[discord.SelectDefaultValue] | None:
    """Return `people` as the selection of a menu; None if a menu cannot hold them."""
    found = []
    for word in people.split():
        kind, _, id = word.partition(":")
        # The @everyone role has the guild's id.
        kind, id = ("group", str(guild)) if word == EVERYONE else (kind, id)
        if kind not in ("user", "group") or not ids.is_id(id):
            return None
        type = discord.SelectDefaultValueType.user
        if kind == "group":
            type = discord.SelectDefaultValueType.role
        found.append(discord.SelectDefaultValue(id=ids.parse_id(id), type=type))
    return found if len(found) <= OPTIONS else None


def _people(
    chosen: Sequence[str], resolved: Mapping[str, Any], guild: int | None
) -> str:
    """Return the people chosen in a menu as references of the core."""
    if str(guild) in chosen:
        return EVERYONE
    roles = resolved.get("roles") or {}
    return " ".join(f"{'group' if each in roles else 'user'}:{each}" for each in chosen)


def _leaves(components: Iterable[Mapping[str, Any]]) -> Iterable[Mapping[str, Any]]:
    """Yield the fields of a submitted form, top to bottom."""
    for each in components:
        if "custom_id" in each:
            yield each
        yield from _leaves(each.get("components") or ())
        if inner := each.get("component"):
            yield from _leaves([inner])
