"""Encodes responses of the core as text that can be stored with a post. Pure.

Rule: a stored response is data, never HTML: it is escaped when it is rendered.
"""

import json
from typing import Any

from adapters.web.messages import render
from bot.ui.elements import Button, Menu, Response, Section

Encoded = dict[str, Any]


def encode(response: Response) -> Encoded:
    """Return the parts of `response` that a page shows, with names in place of
    references."""
    return {
        "text": render(response.text),
        "sections": [_section(each) for each in response.sections],
        "menus": [_menu(each) for each in response.menus],
        "buttons": [_button(each) for each in response.buttons],
        "file": (
            {"name": response.file.name, "text": response.file.text}
            if response.file is not None
            else None
        ),
    }


def stored(response: Response) -> str:
    """Return `response` as the body of a post; "" if it is text alone."""
    found = encode(response)
    plain = not any(found[name] for name in ("sections", "menus", "buttons", "file"))
    return "" if plain else json.dumps(found)


def _section(section: Section) -> Encoded:
    return {
        "title": render(section.title),
        "text": render(section.text),
        "menus": [_menu(each) for each in section.menus],
        "buttons": [_button(each) for each in section.buttons],
        "apart": section.apart,
    }


def _menu(menu: Menu) -> Encoded:
    return {
        "line": _line(menu),
        "argument": menu.argument,
        "label": render(menu.label),
        "channels": menu.channels,
        "choices": [
            {"value": c.value, "label": render(c.label), "about": render(c.about)}
            for c in menu.choices
        ],
    }


def _button(button: Button) -> Encoded:
    return {
        "line": _line(button),
        "label": render(button.label),
        "style": button.style.value,
    }


def _line(control: Menu | Button) -> str:
    """Return the command that `control` carries; "" if no line can."""
    try:
        return control.command.line
    except ValueError:
        return ""
