"""Files and answers for the pictures of attachments."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image, ImageDraw

from bot.claude.catalog import CHEAP_MODEL
from bot.domain.scope import ThreadKey
from storage.store import DatabaseStore
from tests.emulators.claude.prompt import Body
from tests.emulators.claude.reply import Cite, Step
from tests.support.plain_files import pages, saved


@dataclass(frozen=True, slots=True)
class Question:
    """A question with files, and its answer."""

    who: str
    text: str
    files: dict[str, bytes]
    answer: tuple[Step, ...]


def _chart() -> bytes:
    """Return the seats in use, by month."""
    image = Image.new("RGB", (360, 150), "white")
    draw = ImageDraw.Draw(image)
    for nth, seats in enumerate((44, 47, 52, 55, 58, 62)):
        left = 20 + nth * 56
        draw.rectangle((left, 130 - 1.5 * seats, left + 36, 130), fill="#2b6cb0")
        draw.text((left + 12, 115 - 1.5 * seats), str(seats), fill="black")
    draw.line((10, 130, 350, 130), fill="black")
    return saved(image, "PNG")


def _log(lines: int, last: str) -> bytes:
    steps = "".join(
        f"00:{nth // 60:02}:{nth % 60:02} step {nth} of the nightly build passed\n"
        for nth in range(lines)
    )
    return f"{steps}{last}\n".encode()


#: A picture, a PDF and one that cannot be opened; then a dear one.
FILES = (
    Question(
        "Alice",
        "{mention} can we leave this contract by March, and is a smaller plan enough? "
        "The picture shows our seats.",
        {
            "seats.png": _chart(),
            "contract.pdf": pages(8),
            "annex.pdf": pages(2, user="secret"),
        },
        (
            Cite(
                "Yes: it ends with any quarter, with notice of three months.",
                "contract.pdf",
                (2, 2),
            ),
            " So give notice **by 31 December**. ",
            Cite("It must be in writing; an e-mail is enough.", "contract.pdf", (6, 7)),
            "\n\nA smaller plan is tight: 62 of your 80 seats are in use, three or "
            "four more each month, and the next plan has 65.",
        ),
    ),
    Question(
        "Bob",
        "{mention} does our handbook say who signs the notice?",
        {"handbook.pdf": pages(64)},
        (
            "The contract does not say who signs for you",
            Cite(
                ": it only asks for somebody with power to do so.",
                "contract.pdf",
                (7, 7),
            ),
        ),
    ),
)

#: A thread with two long logs, which is summarised before its last question.
LONG = (
    Question(
        "Alice",
        "{mention} why is the nightly build red? This is its log.",
        {"build.log": _log(400, "ImportError: built for Python 3.11")},
        (
            "The cache restored packages of Python 3.11, and the build runs on 3.12: "
            "see the `ImportError` at its end.",
        ),
    ),
    Question(
        "Bob",
        "{mention} I'll put the Python version into the key of the cache. Who else "
        "should know?",
        {},
        ("Dana: her release job uses the same key.",),
    ),
    Question(
        "Alice",
        "{mention} and tonight it failed again.",
        {"build-2.log": _log(320, "OSError: No space left on device")},
        ("That is another error: the disk of the runner was full.",),
    ),
    Question(
        "Bob",
        "{mention} what did we say about the key?",
        {},
        (
            "You put the Python version into it, and Dana is to know. Whether her "
            "release job follows is still open.",
        ),
    ),
)
SUMMARY = """\
## Decisions
- Bob puts the Python version into the key of the cache.
## People
- Alice reports failures of the nightly build; Bob changes the cache; Dana owns the \
release job.
## Open questions
- Does the release job follow? It uses the same key.
## Facts and numbers
- The build runs on Python 3.12; the cache had packages of 3.11.
## Files seen
- build.log: the nightly build until its ImportError."""


def reply(answer: tuple[Step, ...]) -> Callable[[Body], tuple[Step, ...]]:
    """Return Claude's reply: a summary to the cheap model's request, else `answer`."""

    def chosen(body: Body) -> tuple[Step, ...]:
        return (SUMMARY,) if body["model"] == CHEAP_MODEL else answer

    return chosen


async def summarised(store: DatabaseStore, thread: ThreadKey) -> None:
    """Wait until a summary waits for the next question in `thread`."""
    async with asyncio.timeout(60):
        while await store.read_turns(thread):  # noqa: ASYNC110 - the store tells nobody
            await asyncio.sleep(0.01)
