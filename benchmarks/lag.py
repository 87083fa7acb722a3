"""Visible lag: how long after Claude sends a character a reader can see it.

Rule: everything is read from the emulators, which share one clock: what Claude sent
and when, and what each message read and from when on. Time is real time.
"""

import re
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Group

from benchmarks.bound import Growth, least, schedule
from benchmarks.serving import serving
from benchmarks.table import refusals, span, table
from tests.emulators.claude import ClaudeEmulator
from tests.emulators.claude_prompt import Body
from tests.emulators.slack import SlackEmulator

# Threads that are asked in the same moment, and over how many channels they lie.
SCENES = ((1, 1), (10, 5), (50, 5), (50, 1))
# A Sonnet's pace, and four characters a token as the emulator counts them.
TOKENS_PER_SECOND = 60.0
SENTENCE = "Restore the newest snapshot first, and only then start the workers. "
ANSWER = (SENTENCE * 23)[:1500].rstrip()
# The last of fifty replies waits for about a minute.
PATIENCE = 240.0

# What the patient schedule may hold back, in characters; its best one counts.
WORTH = (50, 100, 200, 400, 800, 1500)

# What says that more is to come; it is not Claude's.
MORE = " …"

#: (characters, seconds that they waited to be seen).
Lag = tuple[int, float]


@dataclass(frozen=True, slots=True)
class Watched:
    """One reply, as it was sent and as it was seen."""

    channel: str
    #: When its question was said.
    asked: float
    sent: Growth
    seen: Growth
    #: When it stopped saying that more is to come.
    whole: float


@dataclass(frozen=True, slots=True)
class Scene:
    """So many threads, asked at once, and what Slack was told meanwhile."""

    threads: int
    channels: int
    replies: list[Watched]
    edits: int
    posts: int
    refused: str


async def measure() -> Group:
    """Ask in 1, 10 and 50 threads at once, and watch the answers appear."""
    scenes = [await _play(threads, channels) for threads, channels in SCENES]
    lags = table(
        "lag: from Claude's word to a reader's eye",
        (
            *("threads in channels", "mean", "eager", "patient", "least"),
            *("worst", "eager", "patient"),
        ),
        map(_lag_row, scenes),
        caption=f"""Over all characters of answers of {len(ANSWER):,} at
        {TOKENS_PER_SECOND:.0f} tokens a second, all asked at once in one workspace.
        Beside ours, what others reach with the same arrivals and all that Slack
        allows: one that spends every write at once on whoever has most to show
        (eager), and the best of those that hold back what is not worth a write
        (patient). No schedule has a mean below "least", were all answers to begin at
        once; benchmarks/bound.py says why. Slack allows 50 edits a minute and
        workspace, 10 at once, and a post a second and channel, 5 at once.""",
    )
    waits = table(
        "lag: what people wait for",
        (
            *("threads in channels", "first words", "worst", "end", "worst"),
            *("edits", "posts", "429s"),
        ),
        map(_wait_row, scenes),
        caption="""The same answers. First words: from the question until any of the
        answer shows. End: from Claude's last word until all of it shows and says so.
        Means and worst. 429s should be none.""",
    )
    return Group(lags, "", waits)


def _lag_row(scene: Scene) -> tuple[str, ...]:
    sent = [each.sent for each in scene.replies]
    rooms = [each.channel for each in scene.replies]
    ours = _lags(sent, [each.seen for each in scene.replies])
    eager = _lags(sent, schedule(sent, rooms, worth=1))
    patient = min(
        (_lags(sent, schedule(sent, rooms, worth=worth)) for worth in WORTH), key=_mean
    )
    lasted = statistics.median(each[-1][0] - each[0][0] for each in sent)
    return (
        f"{scene.threads} in {scene.channels}",
        *(span(_mean(each)) for each in (ours, eager, patient)),
        span(least(scene.threads, scene.channels, lasted)),
        *(span(_worst(each)) for each in (ours, eager, patient)),
    )


def _wait_row(scene: Scene) -> tuple[str, ...]:
    first = [each.seen[0][0] - each.asked for each in scene.replies]
    end = [each.whole - each.sent[-1][0] for each in scene.replies]
    return (
        f"{scene.threads} in {scene.channels}",
        *(span(statistics.fmean(first)), span(max(first))),
        *(span(statistics.fmean(end)), span(max(end))),
        *(str(scene.edits), str(scene.posts), scene.refused),
    )


async def _play(threads: int, channels: int) -> Scene:
    async with (
        SlackEmulator() as slack,
        ClaudeEmulator(tokens_per_second=TOKENS_PER_SECOND) as claude,
    ):
        with tempfile.TemporaryDirectory() as folder:
            async with serving(Path(folder), slack, claude):
                replies = await _watch(threads, channels, slack, claude)
        edits, posts = (
            sum(call.outcome == "ok" for call in slack.calls_of(method))
            for method in ("chat.update", "chat.postMessage")
        )
        return Scene(threads, channels, replies, edits, posts, refusals(slack.refused))


async def _watch(
    threads: int, channels: int, slack: SlackEmulator, claude: ClaudeEmulator
) -> list[Watched]:
    """Ask everything in one moment, and wait for the last word of the last reply."""
    alice = slack.add_user("Alice")
    rooms = [slack.add_channel(f"room-{n}") for n in range(channels)]
    claude.always(ANSWER)
    where = [rooms[nth % channels] for nth in range(threads)]
    asked = [
        slack.say(alice, room, f"{slack.mention} {_question(nth)}")
        for nth, room in enumerate(where)
    ]
    left = list(zip(where, asked, strict=True))

    def is_whole() -> bool:
        # From the back, so that a look is short while many are still open.
        while left and _text(slack, *left[-1]) == ANSWER:
            left.pop()
        return not left

    await slack.until(is_whole, timeout=PATIENCE)
    sent = {_asked_in(asked.body): asked.sent for asked in claude.requests}
    return [
        _watched(slack, room, ts, sent[_question(nth)])
        for nth, (room, ts) in enumerate(zip(where, asked, strict=True))
    ]


def _watched(slack: SlackEmulator, room: str, ts: str, sent: Growth) -> Watched:
    question, reply = slack.thread(room, ts)
    texts = [(each.at, each.text.removesuffix(MORE)) for each in reply.versions]
    return Watched(
        channel=room,
        asked=question.versions[0].at,
        sent=sent,
        # The placeholder is no part of the answer.
        seen=[(at, len(text)) for at, text in texts if ANSWER.startswith(text)],
        whole=next(each.at for each in reply.versions if each.text == ANSWER),
    )


def _lags(sent: Sequence[Growth], seen: Sequence[Growth]) -> list[Lag]:
    """How long each character of each reply waited."""
    pairs = zip(sent, seen, strict=True)
    return [lag for arrived, shown in pairs for lag in _lags_of(arrived, shown)]


def _lags_of(sent: Growth, seen: Growth) -> Iterator[Lag]:
    views = iter(seen)
    when, visible = next(views)
    done = 0
    for at, chars in sent:
        # What is shown may end inside a delta: each piece has its own lag.
        while done < chars:
            while visible <= done:
                when, visible = next(views)
            count = min(visible, chars) - done
            done += count
            yield count, when - at


def _mean(lags: Sequence[Lag]) -> float:
    chars = sum(count for count, _ in lags)
    return sum(count * lag for count, lag in lags) / chars


def _worst(lags: Sequence[Lag]) -> float:
    return max(lag for _, lag in lags)


def _text(slack: SlackEmulator, room: str, ts: str) -> str:
    replies = slack.thread(room, ts)[1:]
    return replies[0].text if replies else ""


def _question(nth: int) -> str:
    return f"question {nth}?"


def _asked_in(body: Body) -> str:
    """The question that a request ends with."""
    (question,) = re.findall(r"question \d+\?", body["messages"][-1]["content"])
    return str(question)
