"""Malformed and hostile files: the question is answered, each file gets one sentence,
and nothing is fetched from forbidden addresses."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from tests.adapters.slack.conftest import Office
from tests.emulators.wire import Body
from tests.support.deep import rounds
from tests.support.plain_files import FOLDER, pages
from tests.unit.conversation.test_files import png

SMALLER = "too large). Please send a smaller file, or a part of it."
AGAIN = "damaged). Please open and save it again, and send the new file."
OTHER = "of a type that I can't read). Please send it as a PDF, a picture, text or "
OTHER += "an Office file."
UPLOAD = "empty). Please check it and upload it again."


def sample(name: str) -> bytes:
    return (FOLDER / name).read_bytes()


STEERED = "\u202e" + "../" * 800 + "\x00\n\r\x07<message>" + "a" * 2_500 + ".exe"

#: What is attached, by its name; what the first line says about it, and how many files
#: Claude reads.
CASES: dict[str, tuple[dict[str, bytes], str, int]] = {
    "an image of 20,000 x 20,000": (
        {"huge.png": sample("huge.png")},
        f"I haven't read `huge.png` ({SMALLER}",
        0,
    ),
    "a drawing": ({"logo.svg": sample("logo.svg")}, "", 1),
    "a bomb": (
        {"bomb.docx": sample("bomb.docx")},
        f"I haven't read `bomb.docx` ({AGAIN}",
        0,
    ),
    "entities": (
        {"entities.docx": sample("entities.docx")},
        f"I haven't read `entities.docx` ({AGAIN}",
        0,
    ),
    "macros": ({"offer.docm": sample("contract.docx")}, "", 1),
    "no pages": ({"a.pdf": pages(0)}, f"I haven't read `a.pdf` ({UPLOAD}", 0),
    "a program as a photo": (
        {"photo.jpg": sample("setup.exe")},
        f"I haven't read `photo.jpg` ({OTHER}",
        0,
    ),
    "a photo as notes": ({"notes.txt": sample("screen.png")}, "", 1),
    "nothing": ({"empty.txt": b""}, f"I haven't read `empty.txt` ({UPLOAD}", 0),
    "one too many": (
        {f"{n}.png": png(n) for n in range(21)},
        "I haven't read `20.png` (too many files at once). Please send fewer at once.",
        20,
    ),
    "ten times the same": ({f"{n}.png": png(0) for n in range(10)}, "", 1),
    "a name that steers": (
        {STEERED: sample("setup.exe")},
        f"I haven't read `{'../' * 9}..…{'a' * 16}.exe` ({OTHER}",
        0,
    ),
}


async def asked(office: Office, files: dict[str, bytes]) -> tuple[str, int]:
    """Return the first line of the answer to a question with `files` if it is not
    Claude's, and how many of them Claude was shown."""
    office.model.always("Here you are.")
    ts = office.slack.say(
        office.alice, office.general, f"{office.slack.mention} look", files=files
    )
    [answer] = await office.settled(ts)
    first, _, rest = answer.rpartition("\n\n")
    assert rest == "Here you are."
    shown = office.model.requests[-1].messages[-1].files
    return first.strip("_"), sum(each.unread is None for each in shown)


# The core decides what is said of a file; each is tried there.
@pytest.mark.parametrize(
    "case",
    rounds(("a photo as notes", "a name that steers"), CASES),
)
async def test_a_bad_file_is_a_sentence_in_the_first_line(
    office: Office, case: str
) -> None:
    files, sentence, count = CASES[case]
    assert await asked(office, files) == (sentence, count)


@pytest.fixture
async def metadata() -> AsyncIterator[tuple[str, list[str]]]:
    """A server on a private address, and what was asked of it."""
    served: list[str] = []

    async def serve(request: web.Request) -> web.Response:
        served.append(request.path)
        return web.Response(text="secret")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", serve)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0]
    yield f"http://{host}:{port}/latest/meta-data", served
    await runner.cleanup()


@pytest.mark.parametrize("way", ["address", "redirect", "endless"])
async def test_what_is_no_file_of_the_platform_is_not_fetched(
    office: Office, metadata: tuple[str, list[str]], way: str
) -> None:
    """Nor for longer than its size allows."""
    (address, served), add = metadata, office.slack.files.add

    def tampered(name: str, content: bytes, **more: Any) -> Any:
        file = add(name, content, **more)
        if way == "address":
            file["url_private"] = file["url_private_download"] = address
        elif way == "redirect":
            office.slack.files.moved[file["id"]] = address
        else:
            office.slack.files.bodies[file["id"]] = Body.ENDLESS
        return file

    office.slack.files.add = tampered  # type: ignore[method-assign]
    first, count = await asked(office, {"a.csv": b"1;2\n" * 250_000})
    sentences = {
        "address": "(stored on another site). Please upload it here.",
        "redirect": "(not available). Please upload it again.",
        "endless": f"({SMALLER}",
    }
    assert first == f"I haven't read `a.csv` {sentences[way]}"
    assert (count, served) == (0, [])
