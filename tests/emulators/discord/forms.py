"""Fills in menus and forms as people do, and returns what Discord sends (B2, B8).

A value that Discord's client would not accept raises AssertionError.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from tests.emulators.discord.model import Json, Model, store_file

TEXT_INPUT, STRINGS, USERS, ROLES, MENTIONABLES, CHANNELS = 4, 3, 5, 6, 7, 8
UPLOAD = 19

#: The kinds of choices in each menu over people and places.
_OFFERS = {
    USERS: ("users",),
    ROLES: ("roles",),
    MENTIONABLES: ("users", "roles"),
    CHANNELS: ("channels",),
}


class Forms:
    """Fills in menus and forms in one channel."""

    def __init__(self, model: Model, place: str) -> None:
        self._model = model
        self._place = int(place)
        #: The chosen people and places, as JSON by kind and id.
        self.resolved: Json = {}

    def filled(self, component: Json, values: Mapping[str, Any]) -> Json:
        """Return a part of a form as it is submitted. Labels and rows keep their
        components."""
        names = ("type", "id")
        sent: Json = {name: component[name] for name in names if name in component}
        if "component" in component:
            return sent | {"component": self.filled(component["component"], values)}
        if "components" in component:
            inner = [self.filled(each, values) for each in component["components"]]
            return sent | {"components": inner}
        name = component.get("custom_id")
        if name is None:
            return sent
        sent |= {"custom_id": name}
        if component["type"] == TEXT_INPUT:
            return sent | {"value": _typed(component, values)}
        if component["type"] == UPLOAD:
            return sent | {"values": self._uploaded(component, values.get(name, ()))}
        chosen = list(values[name]) if name in values else _preset(component)
        required = component.get("required", True)
        assert chosen or not required, f"{name} must be filled in"
        return sent | {"values": self.chosen(component, chosen) if chosen else []}

    def chosen(self, menu: Json, values: Iterable[str]) -> list[str]:
        """Return `values` as chosen in `menu`. Raises AssertionError if it does not
        offer them."""
        chosen, name = list(values), menu["custom_id"]
        least, most = menu.get("min_values", 1), menu.get("max_values", 1)
        assert least <= len(chosen) <= most, f"{name} takes {least} to {most}"
        assert len(set(chosen)) == len(chosen), f"{name} takes each but once"
        if menu["type"] == STRINGS:
            offered = [each["value"] for each in menu["options"]]
            assert set(chosen) <= set(offered), f"{name} offers only {offered}"
        for each in chosen if menu["type"] in _OFFERS else ():
            self._resolve(menu, each)
        return chosen

    def _resolve(self, menu: Json, value: str) -> None:
        channel = self._model.get_channel(self._place)
        for kind in _OFFERS[menu["type"]]:
            found = self._model.thing(kind, int(value), channel.guild_id)
            if found is not None:
                self.resolved.setdefault(kind, {})[value] = found
                return
        raise AssertionError(f"{menu['custom_id']} does not offer {value}")

    def _uploaded(self, field: Json, files: Iterable[tuple[str, bytes]]) -> list[str]:
        given, name = list(files), field["custom_id"]
        least, most = field.get("min_values", 1), field.get("max_values", 1)
        required = field.get("required", True)
        assert given or not required, f"{name} must be filled in"
        assert not given or least <= len(given) <= most, f"{name} takes up to {most}"
        return [
            store_file(self._model, self._place, file, content, self.resolved)
            for file, content in given
        ]


def _typed(field: Json, values: Mapping[str, Any]) -> str:
    name = field["custom_id"]
    text = str(values.get(name, field.get("value") or ""))
    assert text or field.get("required") is False, f"{name} must be filled in"
    most = field.get("max_length", 4_000)
    assert len(text) <= most, f"{name} takes {most} characters"
    short = field.get("style", 1) == 1
    assert not (short and "\n" in text), f"{name} takes one line"
    return text


def _preset(menu: Json) -> list[str]:
    """Return the values that are preset in `menu`."""
    if menu["type"] == STRINGS:
        return [each["value"] for each in menu["options"] if each.get("default")]
    return [str(each["id"]) for each in menu.get("default_values") or ()]
