"""Converts the core's responses to messages and views. Pure.

Rule: a custom_id carries everything that its control needs, and no view is kept. Each
view is created as finished, so that discord.py does not wait for its interactions: they
go to `Commands.submitted`, also after a restart.
"""

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import discord
from discord import ui

from adapters.discord import layouts, markup
from bot.domain.reply import Control
from bot.messages import controls as messages
from bot.ui.buttons import buttons
from bot.ui.elements import (
    Button,
    Choice,
    Command,
    File,
    Menu,
    Response,
    Style,
)

#: Prefixes of custom_ids.
DO, FORM, FILES, GOOD, BAD = "do", "form", "files", "good", "bad"

# Discord's limits (facts B5, B7, B8).
MESSAGE_CHARS = 2_000
ID_CHARS = 100
ABOUT_CHARS = 100
BUTTON_CHARS = 80
ROWS, IN_A_ROW, OPTIONS = 5, 5, 25

REST = messages.REST_IN_FILE
FENCE = "```"

_STYLES = {
    Style.PLAIN: discord.ButtonStyle.secondary,
    Style.PRIMARY: discord.ButtonStyle.primary,
    Style.DANGER: discord.ButtonStyle.danger,
}

# The type of a menu of channels (facts B8).
_CHANNEL = 8


@dataclass(frozen=True, slots=True)
class Drawn:
    """A message to send."""

    #: The text. Beside a layout, this is the fallback if Discord refuses the layout.
    text: str
    view: ui.View | ui.LayoutView | None = None
    files: tuple[File, ...] = ()

    def attachments(self) -> list[discord.File]:
        """Return new file objects for one call: each can be read only once."""
        return [
            discord.File(io.BytesIO(each.text.encode()), filename=each.name)
            for each in self.files
        ]


def draw(response: Response, names: Mapping[str, str] | None = None) -> Drawn:
    """Return `response` as one message. A text that is too long is cut, and attached in
    full as a file, so that menus and buttons stay right below it.

    `names` maps the ids of the people in a message that everybody sees to their names
    (`markup.render`). It is None for a message that only one person sees.
    """
    text = markup.render(response.whole, names)
    files = () if response.file is None else (response.file,)
    if len(text) > MESSAGE_CHARS:
        files = (File("everything.md", text), *files)
    if response.sections and response.file is None:
        layout = layouts.draw(response, names, _carrying, _select)
        if layout is not None:
            return Drawn(cut(text), layout)
    menus, buttons = list(response.menus), list(response.buttons)
    for section in response.sections:
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


def answer(controls: Sequence[Control], turn: str) -> ui.View | None:
    """Return the buttons below the answer of a turn, or None."""
    view = finished_view()
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
    """Return the values chosen in a menu, with channels in the core's form
    ("channel:1")."""
    prefix = "channel:" if data.get("component_type") == _CHANNEL else ""
    return [f"{prefix}{value}" for value in data.get("values") or ()]


def chosen_command(line: str, values: Iterable[str]) -> Command:
    """Return the command of a button or a menu. The chosen one of `values` becomes the
    last argument of a menu's command."""
    command = Command.of_line(line)
    arguments = dict(command.arguments)
    for value in values:
        arguments[list(arguments)[-1]] = value
    return Command(command.verb, arguments)


def _controls(menus: Iterable[Menu], buttons: Iterable[Button]) -> ui.View | None:
    """Return menus above buttons, as many as a message holds, without duplicates, which
    Discord rejects."""
    view, seen = finished_view(), set()
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
        options=options(menu.choices),
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


def options(choices: Iterable[Choice], now: str = "") -> list[discord.SelectOption]:
    """Return `choices` as options of a menu, with the value `now` selected."""
    return [
        discord.SelectOption(
            label=each.label[:ABOUT_CHARS],
            value=each.value,
            description=each.about[:ABOUT_CHARS] or None,
            default=each.value == now,
        )
        for each in list(choices)[:OPTIONS]
    ]


def finished_view() -> ui.View:
    """Return a view that discord.py does not wait for."""
    view = ui.View(timeout=None)
    view.stop()
    return view
