"""Converts the core's responses and forms to messages, views and modals. Pure.

Rule: a custom_id carries everything that its control needs, and no view is kept: each
is created as finished, so that discord.py does not wait for it, and its interactions go
to `Commands.submitted`, after a restart too.
"""

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import discord
from discord import ui

from adapters.discord import ids, layouts, markup
from bot.domain.person import EVERYONE
from bot.domain.reply import Control
from bot.messages import controls as messages
from bot.messages import labels
from bot.text import references
from bot.ui.buttons import buttons
from bot.ui.elements import (
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

#: Prefixes of custom_ids.
DO, FORM, FILES, GOOD, BAD = "do", "form", "files", "good", "bad"

# Discord's limits (facts B5, B7, B8).
MESSAGE_CHARS = 2_000
INPUT_CHARS = 4_000
ID_CHARS = 100
TITLE_CHARS = 45
LABEL_CHARS = 45
ABOUT_CHARS = 100
BUTTON_CHARS = 80
ROWS, IN_A_ROW, FIELDS, OPTIONS = 5, 5, 5, 25

REST = messages.REST_IN_FILE
FENCE = "```"

_STYLES = {
    Style.PLAIN: discord.ButtonStyle.secondary,
    Style.PRIMARY: discord.ButtonStyle.primary,
    Style.DANGER: discord.ButtonStyle.danger,
}

# Types of components (facts B8).
_MENTIONABLE, _CHANNEL, _UPLOAD = 7, 8, 19


@dataclass(frozen=True, slots=True)
class Drawn:
    """A message to send."""

    #: In a layout, the text to fall back on if Discord refuses that.
    text: str
    view: ui.View | ui.LayoutView | None = None
    files: tuple[File, ...] = ()

    def attachments(self) -> list[discord.File]:
        """Return its files for one call: each can be read only once."""
        return [
            discord.File(io.BytesIO(each.text.encode()), filename=each.name)
            for each in self.files
        ]


def told(told: Response, names: Mapping[str, str] | None = None) -> Drawn:
    """Return `told` as one message. A text that is too long is cut, and attached as a
    file, so that menus and buttons stay right below it.

    In a message that all see, `names` are those of the people it refers to, by id
    (`markup.render`); None for one that a single person sees.
    """
    text = markup.render(told.whole, names)
    files = () if told.file is None else (told.file,)
    if len(text) > MESSAGE_CHARS:
        files = (File("everything.md", text), *files)
    if told.sections and told.file is None:
        layout = layouts.drawn(told, names, _carrying, _select)
        if layout is not None:
            return Drawn(cut(text), layout)
    menus, buttons = list(told.menus), list(told.buttons)
    for section in told.sections:
        menus += section.menus
        buttons += section.buttons
    return Drawn(cut(text), _controls(menus, buttons), files)


def cut(text: str) -> str:
    """Return `text`, cut at a line end to what one message holds."""
    if len(text) <= MESSAGE_CHARS:
        return text
    room = MESSAGE_CHARS - len(f"\n{FENCE}\n{REST}")
    head = text[:room]
    head = head.rpartition("\n")[0] or head
    if head.count(FENCE) % 2:
        head += f"\n{FENCE}"
    return f"{head}\n{REST}"


def overlong(form: Form) -> Field | None:
    """Return the first field of `form` with more text than an input holds, or None."""
    fields = (each for each in form.fields if len(each.value) > INPUT_CHARS)
    return next(fields, None)


def as_file(field: Field, opener: Command, command: str) -> Drawn:
    """Return the text of `field` as a file; `opener` opens its form, and `command` is
    the slash command that takes a file."""
    text = messages.as_file(length=len(field.value), most=INPUT_CHARS, command=command)
    view = _over()
    if custom_id := carried(FILES, opener):
        view.add_item(ui.Button(label=labels.GIVE_FILE, custom_id=custom_id))
    return Drawn(text, view, (File(f"{field.name}.txt", field.value),))


def as_text(form: Form) -> Drawn:
    """Return what `form` holds, for when Discord refuses it."""
    lines = [messages.FORM_REFUSED, *([form.about] if form.about else [])]
    for field in form.fields:
        chosen = [each.label for each in field.choices if each.value == field.value]
        value = (chosen or [field.value])[0]
        if field.kind is Kind.PEOPLE:
            value = references.from_setting(value)
        if value:
            lines.append(f"{field.label}: {value}")
    return told(Response("\n".join(lines)))


def opener(command: Command) -> Drawn:
    """Return a button that opens the form of `command`: a form cannot be the response
    to a form, nor a deferred one (facts B2)."""
    custom_id = carried(DO, command)
    if not custom_id:
        return Drawn(messages.NEEDS_A_FORM)
    view = _over()
    view.add_item(
        ui.Button(
            label=labels.OPEN_FORM,
            style=discord.ButtonStyle.primary,
            custom_id=custom_id,
        )
    )
    return Drawn(messages.FORM_TO_FILL_IN, view)


def modal(
    form: Form,
    guild: int | None,
    *,
    files: bool = False,
    names: Mapping[str, str] | None = None,
) -> ui.Modal:
    """Return `form` as a modal in `guild`, or in direct messages if that is None;
    `names` are those of channels, by id, for its title.

    With `files`, texts that may exceed an input are requested as files. Raises
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


def filled(data: Mapping[str, Any], guild: int | None) -> dict[str, str]:
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
    """Return the fields of a submitted form that hold files."""
    leaves = _leaves(data.get("components") or ())
    return {str(each["custom_id"]) for each in leaves if each["type"] == _UPLOAD}


def answer(controls: Sequence[Control], turn: str) -> ui.View | None:
    """Return the buttons below the answer of a turn, or None."""
    view = _over()
    if Control.FEEDBACK in controls:
        for mark, emoji in ((GOOD, "👍"), (BAD, "👎")):
            view.add_item(ui.Button(emoji=emoji, custom_id=f"{mark}:{turn}"))
    for button in buttons(controls, turn):
        view.add_item(_button(button, carried(DO, button.command)))
    return view if view.children else None


def carried(mark: str, command: Command, more: str = "") -> str:
    """Return a custom_id with the prefix `mark` that carries `command`; "" if it does
    not fit."""
    try:
        custom_id = f"{mark}:{command.line}{more}"
    except ValueError:
        return ""
    return custom_id if len(custom_id) <= ID_CHARS else ""


def values(data: Mapping[str, Any]) -> list[str]:
    """Return what was chosen in a menu, channels as the core refers to them."""
    prefix = "channel:" if data.get("component_type") == _CHANNEL else ""
    return [f"{prefix}{value}" for value in data.get("values") or ()]


def chosen(line: str, values: Iterable[str]) -> Command:
    """Return the command of a button, or of a menu in which `values` were chosen: its
    last argument is the choice."""
    command = Command.of_line(line)
    arguments = dict(command.arguments)
    for value in values:
        arguments[list(arguments)[-1]] = value
    return Command(command.verb, arguments)


def _controls(menus: Iterable[Menu], buttons: Iterable[Button]) -> ui.View | None:
    """Return menus above buttons, as many as a message holds, without duplicates, which
    Discord rejects."""
    view, seen = _over(), set()
    for menu in list(menus)[:ROWS]:
        custom_id = carried(DO, menu.command, f" {menu.argument}=")
        select = _select(menu)
        if select is not None and custom_id not in seen:
            seen.add(custom_id)
            view.add_item(select)
    room = (ROWS - len(view.children)) * IN_A_ROW
    for button in list(buttons)[:room]:
        custom_id = carried(DO, button.command)
        if custom_id and custom_id not in seen:
            seen.add(custom_id)
            view.add_item(_button(button, custom_id))
    return view if view.children else None


def _select(menu: Menu) -> ui.Item[Any] | None:
    """Return a menu, or None if it offers nothing or no custom_id can carry it."""
    custom_id = carried(DO, menu.command, f" {menu.argument}=")
    if not custom_id:
        return None
    if menu.channels:
        return ui.ChannelSelect(
            custom_id=custom_id,
            placeholder=menu.label,
            channel_types=layouts.CHANNELS,
        )
    if not menu.choices:
        return None
    return ui.Select(
        custom_id=custom_id,
        placeholder=menu.label,
        options=_options(menu.choices),
    )


def _carrying(button: Button) -> ui.Button[Any] | None:
    custom_id = carried(DO, button.command)
    return _button(button, custom_id) if custom_id else None


def _button(button: Button, custom_id: str) -> ui.Button[Any]:
    return ui.Button(
        label=button.label[:BUTTON_CHARS],
        style=_STYLES[button.style],
        custom_id=custom_id,
    )


def _options(choices: Iterable[Choice], now: str = "") -> list[discord.SelectOption]:
    return [
        discord.SelectOption(
            label=each.label[:ABOUT_CHARS],
            value=each.value,
            description=each.about[:ABOUT_CHARS] or None,
            default=each.value == now,
        )
        for each in list(choices)[:OPTIONS]
    ]


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
            options=_options(field.choices, field.value),
            required=field.required,
            min_values=int(field.required),
        )
    if field.kind is Kind.PEOPLE and guild is not None:
        people = _selected(field.value, guild)
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


def _selected(people: str, guild: int) -> list[discord.SelectDefaultValue] | None:
    """Return `people` as the selection of a menu; None if a menu cannot hold them."""
    found = []
    for word in people.split():
        kind, _, id = word.partition(":")
        # The role of everybody has the guild's id.
        kind, id = ("group", str(guild)) if word == EVERYONE else (kind, id)
        if kind not in ("user", "group") or not ids.is_id(id):
            return None
        type = discord.SelectDefaultValueType.user
        if kind == "group":
            type = discord.SelectDefaultValueType.role
        found.append(discord.SelectDefaultValue(id=ids.known(id), type=type))
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


def _over() -> ui.View:
    view = ui.View(timeout=None)
    view.stop()
    return view
