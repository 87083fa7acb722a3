"""What people can tell the bot to do in a thread, apart from asking it something.

Each verb is defined here once, for all platforms: an adapter draws it as its
platform's command, and shows what `Verbs.run` returns to whoever gave it.
"""

import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from bot.lanes import Lanes
from bot.ports import Store
from bot.values import Spending, ThreadKey, Usage

#: How far back usage is added up, in days.
USAGE_DAYS = 30


@dataclass(frozen=True, slots=True)
class Verb:
    """One thing that people can tell the bot to do."""

    name: str
    #: What it does, in less than 100 characters.
    summary: str
    #: Whether everybody in the thread should see what came of it.
    public: bool = False


VERBS = (
    Verb(
        "new", "Start afresh here: what was said so far is read no more.", public=True
    ),
    Verb("stop", "Stop the answer that is being written here."),
    Verb("retry", "Have the last answer here written again."),
    Verb("usage", "What the answers here, and in this channel, have cost."),
    Verb("help", "How to talk to the bot."),
)

RENEWED = "Fresh start: from here on I read nothing of what was said before."
STOPPING = "Stopping."
REPEATING = "Answering again."
NOTHING_HERE = "There is no conversation here yet. Just ask."
NOTHING_RUNS = "I am not writing anything here."
NOTHING_TO_REPEAT = "There is no finished answer here that I could write again."

HELP = """\
**Ask** by mentioning me, or with the command for asking: I answer in a thread, and \
there you go on. In direct messages just write.
I read what is said in our threads, and remember it. If you edit or delete a \
message, I read it so, or no more."""


class Verbs:
    """Carries the verbs out."""

    def __init__(
        self, store: Store, lanes: Lanes, now: Callable[[], float] = time.time
    ) -> None:
        self._store = store
        self._lanes = lanes
        self._now = now
        self._run: dict[str, Callable[[ThreadKey], Awaitable[str]]] = {
            "new": self._new,
            "stop": self._stop,
            "retry": self._retry,
            "usage": self._usage,
            "help": self._help,
        }

    async def run(self, verb: str, thread: ThreadKey) -> str:
        """Do `verb` in `thread`; return, in Markdown, what its giver is told.

        Raises StorageError, and KeyError for a verb that is not in `VERBS`.
        """
        return await self._run[verb](thread)

    async def _new(self, thread: ThreadKey) -> str:
        self._lanes.stop(thread)
        return RENEWED if await self._store.renew(thread) else NOTHING_HERE

    async def _stop(self, thread: ThreadKey) -> str:
        return STOPPING if self._lanes.stop(thread) else NOTHING_RUNS

    async def _retry(self, thread: ThreadKey) -> str:
        if not await self._store.repeat(thread, self._now()):
            return NOTHING_TO_REPEAT
        self._lanes.put(thread)
        return REPEATING

    async def _usage(self, thread: ThreadKey) -> str:
        spent = await self._store.spending(self._now() - USAGE_DAYS * 86400)
        place = (thread.platform, thread.workspace, thread.channel)
        ours = [row for row in spent if _place(row.thread) == place]
        return "\n".join(
            [
                f"In the last {USAGE_DAYS} days:",
                _line("This thread", (row for row in ours if row.thread == thread)),
                _line("This channel", ours),
            ]
        )

    async def _help(self, thread: ThreadKey) -> str:
        verbs = (f"- **{verb.name}**: {verb.summary}" for verb in VERBS)
        return "\n".join([HELP, *verbs])


def _place(thread: ThreadKey) -> tuple[str, str, str]:
    return thread.platform, thread.workspace, thread.channel


def _line(name: str, rows: Iterable[Spending]) -> str:
    turns = unpriced = 0
    usage, cost = Usage(), 0.0
    for row in rows:
        turns += row.turns
        unpriced += row.unpriced
        usage += row.usage
        cost += row.cost
    answers = f"{turns} answer" if turns == 1 else f"{turns} answers"
    spent = f"${cost:.4f}" if cost < 1 else f"${cost:.2f}"
    unknown = f" (and {unpriced} of unknown price)" if unpriced else ""
    return (
        f"- **{name}**: {answers}, {usage.prompt:,} tokens read, "
        f"{usage.output:,} written, {spent}{unknown}"
    )
