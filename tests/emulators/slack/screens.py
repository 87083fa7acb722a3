"""Modals and home tabs as people see them."""

from dataclasses import dataclass
from typing import Self

from tests.emulators.slack import blocks as kit
from tests.emulators.slack import fields
from tests.emulators.slack.blocks import Json
from tests.emulators.slack.controls import BUTTONS, MENUS, Control, controls
from tests.emulators.slack.fields import Field
from tests.emulators.slack.views import View, title


@dataclass(frozen=True, slots=True)
class Modal:
    """A modal as a person sees it. press_in and choose_in accept its `id`."""

    id: str
    title: str
    #: The text of its blocks, including labels and hints of inputs.
    text: str
    fields: tuple[Field, ...]
    controls: tuple[Control, ...]
    #: The label of the submit button; "" if there is none.
    submit: str
    close: str
    #: Errors about its inputs, by block_id; "" for an error above all inputs.
    errors: dict[str, str]
    callback_id: str
    private_metadata: str
    #: The view's JSON in payloads.
    view: Json

    @classmethod
    def of(cls, view: View, json: Json) -> Self:
        """Return `view` as a person sees it. `json` is its JSON."""
        return cls(
            id=view.id,
            title=title(view),
            text=kit.shown(view.blocks),
            fields=tuple(
                fields.field(block, view.state(block, block["element"]))
                for block in view.blocks
                if block["type"] == "input"
            ),
            controls=controls(view.blocks),
            submit=title(view, "submit"),
            close=title(view, "close"),
            errors=dict(view.errors),
            callback_id=json["callback_id"],
            private_metadata=json["private_metadata"],
            view=json,
        )

    @property
    def buttons(self) -> tuple[str, ...]:
        """The labels of the buttons among its blocks."""
        return tuple(each.label for each in self.controls if each.kind in BUTTONS)

    @property
    def selects(self) -> tuple[Control, ...]:
        """The menus among its blocks. Those of inputs are in `fields`."""
        return tuple(each for each in self.controls if each.kind in MENUS)


@dataclass(frozen=True, slots=True)
class Home:
    """The home tab as a person sees it. press_in and choose_in accept its `id`."""

    id: str
    text: str
    controls: tuple[Control, ...]
    #: The view's JSON in payloads.
    view: Json

    @classmethod
    def of(cls, view: View, json: Json) -> Self:
        """Return `view` as a person sees it. `json` is its JSON."""
        return cls(view.id, kit.shown(view.blocks), controls(view.blocks), json)

    @property
    def buttons(self) -> tuple[str, ...]:
        """The labels of its buttons."""
        return tuple(each.label for each in self.controls if each.kind in BUTTONS)

    @property
    def selects(self) -> tuple[Control, ...]:
        """Its menus."""
        return tuple(each for each in self.controls if each.kind in MENUS)
