"""Messages, judges, turns and waits for tests of stores."""

import asyncio

from sqlite_utils import Database

from bot.domain.attachment import Attachment
from bot.domain.message import Disposition, Message, ThreadFacts, Verdict
from bot.domain.scope import ThreadKey
from bot.domain.setting import StoredSettings
from bot.domain.turn import Ended, Outcome, Turn
from bot.ports.inbox import Judge
from bot.ports.store import Store
from storage.connection import Connection
from tests.emulators.claude.emulator import ClaudeEmulator
from tests.support.scripted_model import ScriptedModel

#: The facts of a thread; None for an unknown one.
Facts = ThreadFacts | None

HERE = ThreadKey("slack", "T1", "C1", "1.0")
THERE = ThreadKey("slack", "T1", "C1", "2.0")


async def quiet(
    store: Store,
    claude: ClaudeEmulator | ScriptedModel | None = None,
    thread: str = "",
) -> None:
    """Wait until every question is answered and the answers are stored. With `claude`,
    wait for `thread` (an id of the platform) alone, or until `claude` is writing an
    answer."""

    async def is_open() -> bool:
        threads = await store.open_threads()
        if claude is None:
            return bool(threads)
        there = any(thread in (each.thread, each.channel) for each in threads)
        return there and not claude.answering

    pause = 0.002
    async with asyncio.timeout(60):
        # A database does not announce its changes. Frequent queries would delay the
        # awaited work, which may take until Slack's next second.
        while await is_open():
            await asyncio.sleep(pause)
            pause = min(2 * pause, 0.05)


def said(
    message: str,
    at: float = 1.0,
    *,
    thread: ThreadKey = HERE,
    author: str = "U1",
    text: str | None = None,
    addressed: bool = True,
    opens: bool = False,
    echo: bool = False,
    automated: bool = False,
    files: tuple[Attachment, ...] = (),
    quotes: tuple[Message, ...] = (),
    holds: tuple[str, ...] = (),
) -> Message:
    """Return a message with the id `message`, sent at `at`. Its default text is "text
    of <message>"."""
    return Message(
        thread=thread,
        message=message,
        at=at,
        author=author,
        text=f"text of {message}" if text is None else text,
        addressed=addressed,
        opens=opens,
        echo=echo,
        automated=automated,
        files=files,
        quotes=quotes,
        holds=holds,
    )


def answer(heard: Message, facts: Facts, stored: StoredSettings) -> Verdict:
    return Verdict(Disposition.ANSWER)


def keep(heard: Message, facts: Facts, stored: StoredSettings) -> Verdict:
    return Verdict(Disposition.KEEP)


def ignore(heard: Message, facts: Facts, stored: StoredSettings) -> Verdict:
    return Verdict(Disposition.IGNORE)


async def disposition(store: Store, heard: Message, judge: Judge) -> Disposition:
    """Receive `heard`, and return its disposition."""
    return (await store.receive(heard, judge)).disposition


def done(text: str, ended: Ended = Ended.DONE) -> Outcome:
    return Outcome(ended, text=text, replay=text)


async def waiting(store: Store, *heard: Message) -> Turn:
    """Return the turn that answers `heard`, which has not begun."""
    for each in heard:
        await store.receive(each, answer)
    return await following(store, heard[0].thread)


async def following(store: Store, thread: ThreadKey = HERE) -> Turn:
    """Return the next turn of `thread`. Fail if there is none."""
    turn = await store.next_turn(thread)
    assert turn is not None
    return turn


async def needs_backfill(store: Store) -> bool:
    """Return whether earlier messages of the thread HERE must be read."""
    return (await store.thread_state(HERE, 0)).needs_backfill


async def ask(store: Store, *heard: Message, preface: str = "") -> Turn:
    """Return a turn that was begun, whose prompt is `heard` in capitals."""
    turn = await waiting(store, *heard)
    spoken = await store.begin_turn(turn, 10.0)
    contents = {each.message.message: each.message.text.upper() for each in spoken}
    await store.store_prompt(turn, preface, contents)
    return turn


async def exchange(store: Store, heard: Message, reply: str) -> Turn:
    """Return a turn that was answered with `reply` and delivered."""
    turn = await ask(store, heard)
    await store.finish_turn(turn, done(reply), 20.0)
    await store.mark_delivered(turn, 21.0)
    return turn


async def judged_after(store: Store, heard: Message) -> list[ThreadFacts | None]:
    """Return the facts that the judge receives for `heard` and for one more message."""
    told: list[ThreadFacts | None] = []

    def judge(heard: Message, facts: Facts, stored: StoredSettings) -> Verdict:
        told.append(facts)
        return Verdict(Disposition.ANSWER)

    await store.receive(heard, judge)
    await store.receive(said("next", at=9.0), judge)
    return told


async def repeated(store: Store, now: float, thread: ThreadKey = HERE) -> bool:
    """Retry the last turn in `thread`. Return whether that was possible."""
    facts = await store.turn_facts(thread)
    return facts is not None and await store.retry_turn(thread, facts.key, now)


def of_sqlite(db: Connection) -> Database:
    """Return `db`. Fail unless it is a connection to SQLite."""
    assert isinstance(db, Database)
    return db
