"""Encodes attachments as JSON for a column."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from json import dumps
from typing import Any

from bot.domain.attachment import Attachment


def encode(files: Sequence[Attachment]) -> str:
    """Return `files` as a JSON array with one object for each file."""
    return dumps([asdict(each) for each in files])


def decode(files: Iterable[Any]) -> tuple[Attachment, ...]:
    """Return the attachments in the parsed JSON `files`. Other values are left out.

    Databases of earlier versions contain only names.
    """
    return tuple(found for each in files if (found := _decode(each)))


def _decode(file: Any) -> Attachment | None:
    if isinstance(file, str):
        return Attachment(file)
    if not isinstance(file, dict) or not isinstance(file.get("name"), str):
        return None
    texts = {
        name: value
        for name in ("name", "url", "id")
        if isinstance(value := file.get(name), str)
    }
    size = file.get("size")
    return Attachment(**texts, size=size if isinstance(size, int) else None)
