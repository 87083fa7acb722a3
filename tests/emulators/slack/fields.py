"""The inputs of a modal as readers see them, and as people fill them in.

Rule: a person can only do what Slack's client allows: type at most `max_length`
characters, choose an offered option, and fill in every required input.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.emulators.slack import controls, elements
from tests.emulators.slack.blocks import Json
from tests.emulators.slack.elements import words

#: The value for an input: a text, the name of an option or several, ids of people, or
#: files by name.
Value = str | Sequence[str] | Mapping[str, bytes] | Sequence[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class Field:
    """An input as a reader sees it."""

    label: str
    hint: str
    block_id: str
    action_id: str
    #: The type of its element, for example "plain_text_input".
    kind: str
    #: Its value: the text, the chosen option or person, or all chosen ones.
    value: str | tuple[str, ...]
    #: The most characters or, of files, the most files; 0 for a menu.
    max_length: int
    required: bool
    multiline: bool
    #: The texts of a menu's options.
    options: tuple[str, ...]


def field(block: Json, state: Json) -> Field:
    """Return the input `block` with the value in `state`."""
    element = block["element"]
    kind = element["type"]
    limits = {
        "plain_text_input": element.get("max_length", elements.MOST_TYPED),
        "file_input": element.get("max_files", elements.MOST_FILES),
    }
    read = controls.reads(state)
    several = kind.startswith("multi_") or kind in ("checkboxes", "file_input")
    return Field(
        label=words({"text": block["label"]}),
        hint=words({"text": block.get("hint")}),
        block_id=block["block_id"],
        action_id=element["action_id"],
        kind=kind,
        value=read if several else "".join(read),
        max_length=limits.get(kind, 0),
        required=not block.get("optional"),
        multiline=bool(element.get("multiline")),
        options=tuple(words(each) for each in elements.options(element)),
    )


def initial(element: Json) -> Json:
    """Return the state of an input before anybody touches it (A10)."""
    if element["type"] == "plain_text_input":
        value = element.get("initial_value") or None
        return {"type": "plain_text_input", "value": value}
    if element["type"] == "file_input":
        return {"type": "file_input", "files": []}
    return controls.initial(element)


def filled(element: Json, value: Any) -> Json:
    """Return the state of an input that a person has filled in with `value` (A10).

    For files, `value` is the list of their JSON. Raises ValueError for a value that the
    client would not accept.
    """
    kind = element["type"]
    if kind == "plain_text_input":
        return {"type": kind, "value": _typed(element, value) or None}
    if kind == "file_input":
        return {"type": kind, "files": value}
    state = controls.chosen(element, value)
    most = element.get("max_selected_items", elements.MOST_OPTIONS)
    if len(controls.reads(state)) > most:
        raise ValueError(f"no more than {most} can be chosen")
    return state


def accepted(element: Json, names: Sequence[str]) -> None:
    """Raise ValueError for files that the client would not accept."""
    if len(names) > element.get("max_files", elements.MOST_FILES):
        raise ValueError(f"no more than {element.get('max_files')} files")
    endings = element.get("filetypes")
    for name in names:
        if endings and name.rpartition(".")[2].lower() not in endings:
            raise ValueError(f"{name} is none of {endings}")


def missing(block: Json, state: Json) -> bool:
    """Return whether the client would not submit the modal with this input."""
    if block.get("optional") and not controls.reads(state):
        return False
    least = block["element"].get("min_length", 0)
    text = state.get("value") or ""
    return not controls.reads(state) or len(text) < least


def _typed(element: Json, value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not a text")
    most = element.get("max_length", elements.MOST_TYPED)
    if len(value) > most:
        raise ValueError(f"the input holds {most} characters, not {len(value)}")
    if "\n" in value and not element.get("multiline"):
        raise ValueError("the input has one line")
    return value
