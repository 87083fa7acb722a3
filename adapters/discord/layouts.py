"""Draws responses in sections with Discord's newer components. Pure.

A message with these components has no other text and no files (platform facts B5).
`components.draw` draws responses that do not fit with the older components.
"""

from collections.abc import Callable, Mapping, Sequence

import discord
from discord import ui

from adapters.discord import markup
from bot.ui.elements import Button, Menu, Response, Section

# Discord's limits (facts B5): the characters of all texts together, and the buttons in
# a row. The SDK enforces the limit on components, including nested ones.
TEXT_CHARS = 4_000
IN_A_ROW = 5

#: The channels that can have settings of their own.
CHANNELS = [
    discord.ChannelType.text,
    discord.ChannelType.news,
    discord.ChannelType.forum,
    discord.ChannelType.media,
]

#: Returns a button or a menu as a component; None if no custom_id can carry it.
DrawButton = Callable[[Button], ui.Button[ui.LayoutView] | None]
DrawMenu = Callable[[Menu], ui.Item[ui.LayoutView] | None]


def draw(
    response: Response,
    names: Mapping[str, str] | None,
    button: DrawButton,
    menu: DrawMenu,
) -> ui.LayoutView | None:
    """Return `response` as a layout, with `names` as in `components.draw`; None if a
    message cannot hold it."""
    container: ui.Container[ui.LayoutView] = ui.Container()
    last = Section("", "", response.menus, response.buttons, apart=False)
    for section in (Section("", response.text, apart=False), *response.sections, last):
        for item in _section(section, names, button, menu):
            container.add_item(item)
    layout = ui.LayoutView(timeout=None)
    try:
        layout.add_item(container)
    except ValueError:
        return None
    layout.stop()
    return layout if layout.content_length() <= TEXT_CHARS else None


def _section(
    section: Section,
    names: Mapping[str, str] | None,
    draw_button: DrawButton,
    draw_menu: DrawMenu,
) -> list[ui.Item[ui.LayoutView]]:
    items: list[ui.Item[ui.LayoutView]] = []
    if section.apart:
        items.append(ui.Separator())
    text = markup.render(section.head, names)
    buttons = [each for each in map(draw_button, section.buttons) if each is not None]
    if text and len(buttons) == 1 and not section.menus:
        return [*items, ui.Section(ui.TextDisplay(text), accessory=buttons[0])]
    if text:
        items.append(ui.TextDisplay(text))
    items += (ui.ActionRow(*row) for row in _rows(buttons))
    for each in map(draw_menu, section.menus):
        if each is not None:
            items.append(ui.ActionRow(each))
    return items


def _rows(
    buttons: Sequence[ui.Button[ui.LayoutView]],
) -> list[Sequence[ui.Button[ui.LayoutView]]]:
    starts = range(0, len(buttons), IN_A_ROW)
    return [buttons[start : start + IN_A_ROW] for start in starts]
