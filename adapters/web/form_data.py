"""Reads the fields and files of a form that a page sends, within limits."""

import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from aiohttp import BodyPartReader, MultipartReader, web
from aiohttp.http_exceptions import BadHttpMessage

from adapters.web.context import Refused
from bot.domain.attachment import Attachment
from bot.messages import web as texts
from bot.ui.elements import Command

#: The most characters of a message; longer text belongs in a file.
MOST_CHARS = 200_000
#: The most files of a message, and bytes of all of them.
MOST_FILES = 10
MOST_FILE_BYTES = 32_000_000
#: The most parts of a request: the fields of a form and its files.
MOST_PARTS = 100


@dataclass(slots=True)
class FormData:
    """The fields and files of a request."""

    values: dict[str, str] = field(default_factory=dict)
    files: list[tuple[str, bytes]] = field(default_factory=list)

    def __getitem__(self, name: str) -> str:
        return self.values.get(name, "")


def command_of(written: str, values: Mapping[str, str]) -> Command | None:
    """Return the command of a form with the submitted values, or None if `written` is
    not a command."""
    try:
        found = json.loads(written)
        verb, arguments = str(found["verb"]), dict(found["arguments"])
    except (ValueError, TypeError, KeyError):
        return None
    given = {str(name): str(value) for name, value in arguments.items()}
    filled = {
        name.removeprefix("field-"): value
        for name, value in values.items()
        if name.startswith("field-")
    }
    return Command(verb, given).having(filled)


async def read(request: web.Request) -> FormData:
    """Return the fields and files of `request`. Raises Refused if they exceed a limit
    or cannot be parsed."""
    sent = FormData()
    if (request.content_length or 0) > MOST_FILE_BYTES + MOST_CHARS * 4:
        most = MOST_FILE_BYTES // 1_000_000
        raise Refused(413, "too_large", texts.too_large(most=most))
    if not request.content_type.startswith("multipart/"):
        raise Refused(415, "bad_request", texts.NOT_UNDERSTOOD)
    with well_formed():
        reader = await request.multipart()
        await _read(reader, sent)
    return sent


@contextmanager
def well_formed() -> Iterator[None]:
    """Raise Refused if the form that is read inside is malformed. aiohttp raises all of
    these errors: for bytes, headers of parts, boundaries and charsets."""
    try:
        yield
    except (ValueError, AssertionError, LookupError, BadHttpMessage) as error:
        raise Refused(400, "bad_request", texts.NOT_UNDERSTOOD) from error


async def _read(reader: MultipartReader, sent: FormData) -> None:
    left = MOST_FILE_BYTES
    while (part := await reader.next()) is not None:
        if not isinstance(part, BodyPartReader) or part.name is None:
            raise ValueError("not a part of a form")
        if len(sent.values) + len(sent.files) >= MOST_PARTS:
            raise ValueError("too many parts")
        data = bytearray()
        while chunk := await part.read_chunk():
            data += chunk
            left -= len(chunk)
            if left < 0:
                most = MOST_FILE_BYTES // 1_000_000
                raise Refused(413, "too_large", texts.too_large(most=most))
        if part.filename is None:
            # Several values of one name are the people that were chosen.
            earlier = sent.values.get(part.name)
            value = data.decode()
            sent.values[part.name] = (
                value if earlier is None else f"{earlier} {value}".strip()
            )
        elif len(sent.files) >= MOST_FILES:
            raise Refused(413, "too_many", texts.too_many_files(most=MOST_FILES))
        else:
            sent.files.append((part.filename, bytes(data)))


def attached_files(
    files: list[tuple[str, bytes]],
) -> tuple[tuple[Attachment, ...], dict[str, bytes]]:
    found, contents = [], {}
    for name, data in files:
        id = secrets.token_hex(16)
        contents[id] = data
        short = " ".join(name.split())[-200:] or texts.A_FILE
        found.append(Attachment(short, f"upload:{id}", id, len(data)))
    return tuple(found), contents
