"""Validates answers. A separate module, so that pydantic is imported only when
needed."""

import types
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    ValidationError,
    create_model,
)

from bot.schemes.field import CHOICE, CHOICES, TEXT, YES_NO, Field
from bot.text.characters import replace_invalid

# Structured outputs have no length limits (Claude facts 1.8), so a text is cut here to
# fit into a table row.
TEXT_CHARS = 500


def validator(fields: Sequence[Field]) -> Callable[[object], dict[str, Any]]:
    """Return a function that returns the values of an answer with `fields` in canonical
    form, and raises ValueError if they do not fit."""
    annotated: dict[str, Any] = {
        field.name: (_annotation(field), ...) for field in fields
    }
    config = ConfigDict(extra="forbid", strict=True)
    model: type[BaseModel] = create_model("Sorted", __config__=config, **annotated)

    def validate(values: object) -> dict[str, Any]:
        try:
            return model.model_validate(values).model_dump()
        except ValidationError as error:
            # The error itself quotes the values, so it is not raised.
            first = error.errors(include_input=False, include_url=False)[0]
            at = ".".join(str(part) for part in first["loc"]) or "it"
            raise ValueError(f"{at}: {first['msg']}") from None

    return validate


def _annotation(field: Field) -> Any:
    if field.type in (CHOICE, CHOICES):
        # The case of values is not guaranteed (Claude facts 1.8).
        written = {value.casefold(): value for value in field.values}

        def canonical(node: object) -> object:
            plain = node.strip().casefold() if isinstance(node, str) else None
            return written.get(plain, node) if plain is not None else node

        one: Any = Annotated[Literal[tuple(field.values)], BeforeValidator(canonical)]
        return one if field.type == CHOICE else types.GenericAlias(list, (one,))
    if field.type == TEXT:
        return Annotated[str, BeforeValidator(_shorten)]
    return bool if field.type == YES_NO else int


def _shorten(node: object) -> object:
    if not isinstance(node, str):
        return node
    line = " ".join(replace_invalid(node).split())
    return line if len(line) <= TEXT_CHARS else f"{line[: TEXT_CHARS - 1]}…"
