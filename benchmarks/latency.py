"""How soon after somebody speaks Claude is asked, however long the thread is."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from benchmarks import history
from benchmarks.serving import serving
from benchmarks.table import middle, ratio, table, tail
from bot.values import ThreadKey
from tests.emulators.claude import ClaudeEmulator
from tests.emulators.slack import SlackEmulator
from tests.emulators.slack.rates import UNLIMITED

EVENTS = 100
TURNS = 1000
# The first questions of a process pay for connections and for names.
WARM_UP = 5


@dataclass(frozen=True, slots=True)
class Took:
    """What became of one question, in seconds since Slack sent it."""

    acknowledged: float
    asked: float
    replied: float


async def measure() -> Table:
    """Ask in new threads and in long ones by turns, one question at a time."""
    # Nothing that is measured waits for a limit, and the posts of two hundred
    # questions in a row would.
    async with SlackEmulator(rates=UNLIMITED) as slack, ClaudeEmulator() as claude:
        office = Office(slack, claude)
        long = [office.open_thread() for _ in range(EVENTS)]
        with tempfile.TemporaryDirectory() as folder:
            database = Path(folder) / "threadkeep.db"
            await history.fill(database, long, TURNS)
            async with serving(Path(folder), slack, claude):
                for _ in range(WARM_UP):
                    await office.ask()
                pairs = [(await office.ask(), await office.ask(key)) for key in long]
        size = len(str(claude.requests[-1].body["messages"]))
    new, old = zip(*pairs, strict=True)
    rows = []
    for what in ("acknowledged", "asked", "replied"):
        short = [getattr(took, what) for took in new]
        deep = [getattr(took, what) for took in old]
        rows.append(
            (
                SAYS[what],
                *(middle(short), tail(short), middle(deep), tail(deep)),
                ratio(deep, short),
            )
        )
    return table(
        "latency: since Slack sent the event",
        ("until", "new thread", "p99", f"{TURNS:,} turns", "p99", "ratio"),
        rows,
        caption=f"""Medians and 99th percentiles of {EVENTS} questions each, by turns
        and one at a time; {TURNS * EVENTS:,} turns in a database on disk. What Claude
        reads of {TURNS:,} turns is {size / 1e6:.1f} MB, and it has the request once it
        has read all of it.""",
    )


SAYS = {
    "acknowledged": "the event is durable and acknowledged",
    "asked": "Claude has the request",
    "replied": "the thread shows that an answer comes",
}


class Office:
    """Alice, who asks in a channel of its own each time."""

    def __init__(self, slack: SlackEmulator, claude: ClaudeEmulator) -> None:
        self._slack = slack
        self._claude = claude
        self._alice = slack.add_user("Alice")

    def open_thread(self) -> ThreadKey:
        """A thread with nothing but its root, of which the bot heard nothing now."""
        channel = self._slack.add_channel("old", joined=False)
        ts = self._slack.say(self._alice, channel, "?")
        self._slack.invite(channel)
        return ThreadKey("slack", self._slack.team, channel, ts)

    async def ask(self, thread: ThreadKey | None = None) -> Took:
        """Ask in `thread`, or in a new one, and wait for the first signs."""
        slack, claude = self._slack, self._claude
        heard, asked = len(slack.deliveries), len(claude.requests)
        channel = thread.channel if thread else slack.add_channel("new")
        ts = slack.say(
            self._alice,
            channel,
            f"{slack.mention} and what now?",
            thread_ts=thread.thread if thread else None,
        )
        root = thread.thread if thread else ts
        await claude.until(lambda: len(claude.sent) > asked and bool(claude.sent[-1]))
        reply = await slack.until(
            lambda: [each for each in slack.thread(channel, root) if each.bot]
        )
        await slack.until(lambda: slack.settled)
        # A mention is two events; the product works on whichever comes first.
        first = slack.deliveries[heard].attempts[0]
        assert first.acked is not None
        return Took(
            acknowledged=first.acked - first.at,
            asked=claude.requests[-1].at - first.at,
            replied=reply[0].versions[0].at - first.at,
        )
