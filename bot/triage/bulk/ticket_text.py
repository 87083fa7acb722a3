"""The text of a ticket, from the columns of its row. Pure."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from bot.text.characters import is_blank
from bot.triage.bulk import nested


def text_of(row: Mapping[str, Any], texts: Sequence[str]) -> str:
    """Return the text of the ticket in `row`, its columns separated by blank lines; ""
    if it has no visible text. Missing columns are skipped."""
    parts = [_text(nested.value(row, name)) for name in texts]
    return "\n\n".join(part for part in parts if part)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        value = json.dumps(value, ensure_ascii=False)
    return "" if is_blank(value) else value.strip()
