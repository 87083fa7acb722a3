"""Measures requests in a thread of a thousand turns with fifty files, the disk space of
these turns, and uploads of 25 MB."""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from rich.console import Group
from rich.table import Table

from benchmarks import history, large_files, machine, watched
from benchmarks.platforms import NO_FILES, Files, Platform, clock, opened
from benchmarks.serving import serving
from benchmarks.table import middle, span, table, tail
from bot.claude.catalog import DEFAULT_MODEL
from bot.context.files import read
from bot.conversation.model_files import accepted_files
from bot.domain.attachment import Attachment, FileContent
from bot.domain.scope import ThreadKey
from storage.database import open_beside, open_for_writing
from storage.opening import open_store
from storage.search_index import fill
from tests.emulators.claude.emulator import ClaudeEmulator

TURNS, FILES, QUESTIONS = 1_000, 50, 100
# The first questions import libraries. They also try to summarise the long thread,
# which fails because the emulator writes no summary, so the thread is read in full.
WARM_UP = 5
TOKENS = 400_000
# Otherwise a person would have to confirm the price of so many files.
ENV = {"THREADKEEP_FILE_PRICE": "never"}
PATIENCE = 120.0


@dataclass(frozen=True, slots=True)
class Took:
    """The cost of one question."""

    #: Seconds until Claude had the request: elapsed, and of CPU.
    asked: float
    used: float
    #: The peak of additional memory in bytes, until the answer was written.
    more: float
    #: The longest time in seconds for which the event loop was blocked.
    blocked: float
    #: Bytes of files in the request.
    shown: int


async def measure(platforms: Sequence[str]) -> Group:
    """Ask in a long thread with files, and then post large files, with the real
    process."""
    return Group(await _long_thread(platforms[0]), "", await _uploads(platforms[0]))


async def _long_thread(name: str) -> Table:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        async with opened(name, unlimited=True) as platform, _claude() as claude:
            thread = platform.open_thread()
            empty, bare, full = await _fill(path, thread)
            async with serving(
                *(path, platform, claude), env=_env(path), module="benchmarks.watched"
            ) as pid:
                office = _Office(pid, path, platform, claude)
                for _ in range(WARM_UP):
                    await office.ask(thread)
                took = [await office.ask(thread) for _ in range(QUESTIONS)]
    columns = ("asked", "used", "more", "blocked")
    asked, used, more, blocked = (
        [getattr(each, column) for each in took] for column in columns
    )
    return table(
        f"files: a thread of {TURNS:,} turns with {FILES} files",
        ("until Claude has the request", "median", "p99"),
        [
            ("by the clock", middle(asked), tail(asked)),
            ("CPU", middle(used), tail(used)),
            ("event loop blocked at most", middle(blocked), tail(blocked)),
            ("more memory at most", _mib(statistics.median(more)), _mib(max(more))),
        ],
        caption=f"""{QUESTIONS} questions on {name.title()}; of the files, Claude is
        given {_mib(took[-1].shown)} each time. Memory: the median and the most. The
        turns take {(bare - empty) / 1024:,.0f} KiB of the database,
        {(bare - empty) / TURNS:,.0f} bytes each, with the index of the search; the
        files {_mib(full - bare)} more.""",
    )


async def _uploads(name: str) -> Table:
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        async with (
            opened(name, unlimited=True) as platform,
            _claude() as claude,
            serving(
                *(path, platform, claude), env=_env(path), module="benchmarks.watched"
            ) as pid,
        ):
            office = _Office(pid, path, platform, claude)
            await office.ask(None)
            for file, make in large_files.LARGE.items():
                # The first file of a type imports its library.
                await office.ask(None, {file: _small(file)})
                # In a thread, because blocking the emulators would break their
                # connections.
                data = await asyncio.to_thread(make)
                took = await office.ask(None, {file: data})
                rows.append(
                    (
                        f"{file}, {len(data) / 1e6:.0f} MB",
                        span(took.asked),
                        span(took.used),
                        _mib(took.more),
                        _mib(took.shown),
                        span(took.blocked),
                    )
                )
    return table(
        "files: an upload",
        ("file", "Claude has it", "CPU", "more memory", "shown", "blocked"),
        rows,
        caption=f"""One question each on {name.title()}, with the file: the time until
        Claude has the request and the CPU used until then; the most memory over that
        before, until the answer is written; the bytes that Claude is given; the longest
        time for which the event loop was blocked.""",
    )


def _claude() -> ClaudeEmulator:
    return ClaudeEmulator(clock=clock, remember=False)


def _env(folder: Path) -> Mapping[str, str]:
    return {**ENV, watched.VARIABLE: str(folder / "blocked.log")}


class _Office:
    """Asks one question at a time on a platform."""

    def __init__(
        self, pid: int, folder: Path, platform: Platform, claude: ClaudeEmulator
    ) -> None:
        self._pid = pid
        self._notes = folder / "blocked.log"
        self._platform = platform
        self._claude = claude

    async def ask(self, thread: ThreadKey | None, files: Files = NO_FILES) -> Took:
        """Ask in `thread`, or in a new one, and wait for the answer."""
        platform, claude, pid = self._platform, self._claude, self._pid
        claude.requests.clear()
        channel = thread.channel if thread else platform.add_channel()
        machine.forget_peak(pid)
        memory, used = machine.memory(pid), machine.exact_cpu(pid)
        began = time.time()
        question = platform.ask(channel, "and what now?", thread, files)
        await claude.until(lambda: bool(claude.questions), timeout=PATIENCE)
        asked = claude.questions[0].at - question.at
        used = machine.exact_cpu(pid) - used
        await platform.until(lambda: platform.answer(question), PATIENCE)
        await platform.until(lambda: platform.settled, PATIENCE)
        return Took(
            asked,
            used,
            more=machine.peak(pid) - memory,
            blocked=max(watched.blocks(self._notes, began), default=0.0),
            shown=_shown(claude.questions[0].body),
        )


# Bytes of a file per character in the request.
_SHARES = {"text": 1.0, "base64": 0.75}


def _shown(body: Mapping[str, object]) -> int:
    """Return the number of bytes of files in a request."""
    messages = body["messages"]
    assert isinstance(messages, list)
    sizes = [
        len(block["source"]["data"])
        * (1 if block["source"]["type"] == "text" else 0.75)
        for message in messages
        if isinstance(message["content"], list)
        for block in message["content"]
        if "source" in block
    ]
    return int(sum(sizes))


async def _fill(folder: Path, thread: ThreadKey) -> tuple[int, int, int]:
    """Make a database with a thread of `TURNS` turns and `FILES` files. Return the
    sizes in bytes of an empty database, of one without files, and of the full one."""
    database = folder / "threadkeep.db"
    plain = folder / "plain.db"
    contents = [_content(number) for number in range(FILES)]
    sizes = []
    for path, number in ((folder / "empty.db", 0), (plain, TURNS), (database, TURNS)):
        async with open_store(path) as store:
            for nth in range(number):
                files = {}
                if path == database and nth % (TURNS // FILES) == 0:
                    name, content = contents[nth * FILES // TURNS]
                    size = len(content.data)
                    files = {Attachment(name, id=f"F{nth}", size=size): content}
                at = time.time() - history.AGE + nth
                await history.exchange(store, thread, f"{nth}.000000", at, files)
        with closing(open_for_writing(path)) as db:
            while fill(db):
                pass
        with closing(open_beside(path)) as db:
            (pages,) = db.execute("PRAGMA page_count").fetchone()
            (size,) = db.execute("PRAGMA page_size").fetchone()
        sizes.append(pages * size)
    return sizes[0], sizes[1], sizes[2]


def _content(number: int) -> tuple[str, FileContent]:
    """Return the name and content of a file as the product reads it: a log, a photo or
    three scanned pages."""
    kinds: Mapping[str, Callable[[], bytes]] = {
        "app.log": lambda: large_files.log(40_000) + str(number).encode(),
        "photo.jpg": lambda: large_files.photo(1_600, 1_200, 80 - number % 20),
        "scan.pdf": lambda: large_files.scan(3 * 420_000) + f"%{number}\n".encode(),
    }
    name, make = list(kinds.items())[number % len(kinds)]
    with tempfile.NamedTemporaryFile() as file:
        file.write(make())
        file.flush()
        path = Path(file.name)
        return name, read(path, name, accepted_files(DEFAULT_MODEL, TOKENS))


def _small(name: str) -> bytes:
    """Return a small file of the same type as `name`."""
    kinds: Mapping[str, Callable[[], bytes]] = {
        "app.log": lambda: large_files.log(1_000),
        "photo.jpg": lambda: large_files.photo(3_000, 30),
        "picture.png": lambda: large_files.picture(3_000, 30),
        "scan.pdf": lambda: large_files.scan(1),
        "report.docx": lambda: large_files.report(1),
        "deck.pptx": lambda: large_files.deck(1),
        "book.xlsx": lambda: large_files.book(10),
    }
    return kinds[name]()


def _mib(size: float) -> str:
    return f"{size / 2**20:.0f} MiB"
