"""Compares the cost of the input of a long thread: without caching, with a sliding
window, and with Threadkeep's requests.

The product's functions make the requests, which are replayed against the emulated
prompt cache at the catalog's prices. Nothing is sent, and the clock is that of the
thread. Its questions come in the rhythm of people: most within minutes of each other,
some after a night. Because the nights dominate the cost, many random threads are
replayed.
"""

import itertools
import random
import statistics
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rich.table import Table

from benchmarks.table import table
from bot.claude import catalog
from bot.claude.request import parameters
from bot.context import cache_lifetime, cache_misses, prompt, summaries
from bot.context.cache_misses import CacheMiss
from bot.conversation import waking
from bot.domain.attachment import FileKind
from bot.domain.completion import ChatMessage, Request, RequestFile, Usage
from bot.domain.message import Message
from bot.domain.receipt import PastRequest
from bot.domain.scope import ThreadKey
from bot.domain.summary import ReadTurn
from bot.settings.options import BY_NAME
from tests.emulators.claude.prompt import PrefixCache, size_of
from tests.support.process import ROOT

MODEL = catalog.DEFAULT_MODEL
TURNS = (20, 100)
#: The number of messages in a sliding window: "the last 20" of other bots.
WINDOW = 20
OURS = "Threadkeep"
#: As in Claude facts 3.3: tokens of the system prompt, a question and an answer.
SYSTEM, QUESTION, ANSWER = 1_000, 150, 350
#: Tokens of a summary (Claude facts 3.4), and of a thread that is summarised.
SUMMARY, SUMMARY_AT = summaries.EXPECTED, int(BY_NAME["summary_at"].default)
#: Probabilities of a pause within five minutes and within the hour. Any other pause is
#: a night.
SOON, LATER = 0.7, 0.25
#: The seeds of the random threads.
SEEDS = range(20)
#: Seconds from a question to its summary: the answer, then 1,200 tokens.
UNTIL_SUMMARY = 30.0
START = 1_796_000_000.0
DATA = ROOT / "tests" / "data" / "files"

HERE = ThreadKey("slack", "T1", "C1", "1")


@dataclass(frozen=True, slots=True)
class Asked:
    """One question of the thread with its files, and its answer."""

    at: float
    question: str
    answer: str
    files: tuple[RequestFile, ...] = ()


@dataclass(frozen=True, slots=True)
class Sent:
    """The body of a request, and the time at which it was sent."""

    at: float
    body: dict[str, Any]
    #: How many messages its summary covers; 0 without a summary.
    summarised: int = 0


def thread(turns: int, seed: int, *, files: bool = False) -> list[Asked]:
    """Return a thread of `turns` questions. With `files`, the first of every ten has a
    file: a scanned page or a log in turn."""
    chance, at, found = random.Random(seed), START, list[Asked]()
    for number in range(turns):
        text, answer = _words(number, QUESTION), _words(-number - 1, ANSWER)
        message = Message(HERE, str(number), at, "U1", text, True, not number)
        content = f"{prompt.preface(at)}\n{prompt.label(message, 'Alice', text)}"
        shown = (_file(number),) if files and number % 10 == 0 else ()
        found.append(Asked(at, content, answer, shown))
        kind = chance.random()
        if kind < SOON:
            at += chance.uniform(20, 300)
        elif kind < SOON + LATER:
            at += chance.uniform(300, 3_600)
        else:
            at += chance.uniform(8, 20) * 3_600
    return found


def _file(number: int) -> RequestFile:
    """Return a scanned page, or a log of 10,000 tokens."""
    if number % 20:
        data = _words(number, 10_000).encode()
        kind, name, media_type, tokens = FileKind.TEXT, "app.log", "text/plain", 16_000
    else:
        data = (DATA / "scan.pdf").read_bytes()
        kind, name = FileKind.PDF, "scan.pdf"
        media_type, tokens = "application/pdf", 7_784
    name = f"{number}-{name}"
    return RequestFile(
        *(name, name, kind, media_type, tokens), size=len(data), data=data
    )


def _words(number: int, tokens: int) -> str:
    return f"{number}: " + "word " * (tokens * 4 // 5)


def requests(turns: Sequence[Asked]) -> Iterator[tuple[float, Request]]:
    """Yield each turn's time and request, with the whole thread and no caching."""
    messages: list[ChatMessage] = []
    for turn in turns:
        messages.append(ChatMessage("user", turn.question, turn.files))
        yield (
            turn.at,
            Request(
                model=MODEL,
                system=prompt.system_prompt(_words(0, SYSTEM)),
                messages=tuple(messages),
                max_tokens=4_096,
                cache_messages=False,
            ),
        )
        messages.append(ChatMessage("assistant", turn.answer))


def uncached(turns: Sequence[Asked]) -> Iterator[Sent]:
    """Yield requests without caching."""
    for at, request in requests(turns):
        body = parameters(request)
        for block in body["system"]:
            del block["cache_control"]
        yield Sent(at, body)


def sliding(turns: Sequence[Asked]) -> Iterator[Sent]:
    """Yield requests with the last `WINDOW` messages, cached for five minutes."""
    for at, request in requests(turns):
        last = request.messages[-WINDOW:]
        # The API requires a question first.
        last = last[1:] if last[0].role == "assistant" else last
        kept = replace(request, messages=last, cache_messages=True, cache_ttl="5m")
        yield Sent(at, parameters(kept))


def ours(turns: Sequence[Asked]) -> Iterator[Sent]:
    """Yield Threadkeep's requests, including those for summaries."""
    read: list[ReadTurn] = []
    tokens, last = 0, START
    #: The summary in progress: (time at which it is ready, number of turns it covers).
    waiting: tuple[float, int] | None = None
    for number, (at, request) in enumerate(requests(turns)):
        if waiting and at >= waiting[0]:
            read = _summarised(read, waiting[1], number)
            waiting = None
        is_silent, last = at - last > summaries.SILENCE, at
        newest = turns[: number + 1][-cache_lifetime.QUESTIONS :]
        times = [each.at for each in newest]
        ttl = cache_lifetime.lifetime(times)
        woken = times if is_silent else None
        if woken and not waiting and _covered(read, tokens, woken):
            ttl = None
        question = request.messages[-1]
        entries = [entry for each in read for entry in each.entries]
        kept = replace(
            request,
            messages=(*entries, question),
            cache_messages=ttl is not None,
            cache_ttl=ttl or "1h",
        )
        body = parameters(kept)
        yield Sent(at, body, read[0].messages if read and read[0].is_summary else 0)
        answer = ChatMessage("assistant", turns[number].answer)
        read.append(ReadTurn(number + 1, (question, answer), 2))
        tokens = size_of(body) + ANSWER
        count = 0 if waiting else _covered(read, tokens, woken)
        if count:
            waiting = at + UNTIL_SUMMARY, count
            covered = read[:count]
            made = summaries.request(covered, catalog.CHEAP_MODEL, None, "")
            yield Sent(at, parameters(made))


def _covered(
    read: Sequence[ReadTurn], tokens: int, woken: Sequence[float] | None
) -> int:
    """Return how many of the turns `read` a summary replaces, or 0. `woken` has the
    times of the newest questions of a thread that was silent for long, else None."""
    silent = woken is not None
    pays = woken is not None and waking.pays(
        model=MODEL,
        cheap=catalog.CHEAP_MODEL,
        tokens=tokens,
        mark=SUMMARY_AT,
        times=woken,
        at=woken[-1],
    )
    if not summaries.is_due(tokens, SUMMARY_AT, silent=silent, pays=pays):
        return 0
    return summaries.cut(read, tokens, SUMMARY_AT, silent=silent)


def _summarised(read: list[ReadTurn], count: int, number: int) -> list[ReadTurn]:
    """Return `read` with a summary in place of its first `count` turns."""
    covered = read[:count]
    messages = summaries.count_covered(covered)
    content = summaries.content(_words(number, SUMMARY), covered)
    entry = ChatMessage("user", content)
    made = ReadTurn(read[count - 1].turn, (entry,), messages, is_summary=True)
    return [made, *read[count:]]


WAYS = {"no caching": uncached, f"last {WINDOW} messages": sliding, OURS: ours}


@dataclass(frozen=True, slots=True)
class Replayed:
    """The cost of the input of a thread with one method."""

    #: In USD after each turn.
    usd: tuple[float, ...]
    #: The usage of the turns, without summaries.
    usage: Usage
    #: Turns that did not read everything that the previous turn left in the cache, by
    #: reason.
    misses: Counter[CacheMiss]


def replay(bodies: Iterator[Sent]) -> Replayed:
    """Replay `bodies` against the emulated cache."""
    cache, total, misses = PrefixCache(), Usage(), Counter[CacheMiss]()
    usd, sum_usd = list[float](), 0.0
    before: PastRequest | None = None
    for each in bodies:
        usage = cache.spend(each.body, each.at)
        is_summary = each.body["model"] != MODEL
        if is_summary:
            usage = replace(usage, output=SUMMARY)
        sum_usd += catalog.cost(each.body["model"], usage, each.at) or 0.0
        if is_summary:
            usd[-1] = sum_usd
            continue
        usd.append(sum_usd)
        total += usage
        now = PastRequest(each.at, MODEL, None, usage, summarised=each.summarised)
        if before and (miss := cache_misses.reason(before, now)):
            misses[miss] += 1
        before = now
    return Replayed(tuple(usd), total, misses)


def threads(turns: int, *, files: bool) -> dict[str, list[Replayed]]:
    """Return the costs of the random threads, by method."""
    drawn = [thread(turns, seed, files=files) for seed in SEEDS]
    return {name: [replay(way(each)) for each in drawn] for name, way in WAYS.items()}


async def measure(platforms: Sequence[str]) -> Table:
    """Return the cost of the input of a thread with each method."""
    rows = []
    for turns, files in itertools.product(TURNS, (False, True)):
        found = threads(turns, files=files)
        of = f"{turns} turns{', files' if files else ''}"
        base = found["no caching"]
        for name, each in found.items():
            parts = sorted(
                run.usd[-1] / plain.usd[-1]
                for run, plain in zip(each, base, strict=True)
            )
            usage = sum((run.usage for run in each), Usage())
            misses = sum((run.misses for run in each), Counter[CacheMiss]())
            unnamed = misses[CacheMiss.UNKNOWN]
            asked = len(each) * turns
            rows.append(
                [
                    f"{of}, {name}",
                    f"${statistics.mean(run.usd[-1] for run in each):.3f}",
                    f"{statistics.mean(parts):.2f}",
                    f"{parts[0]:.2f} to {parts[-1]:.2f}",
                    f"{usage.prompt // len(each):,}",
                    f"{usage.cache_read / usage.prompt:.0%}",
                    f"{misses.total() / asked:.1%}",
                    f"{unnamed / asked:.1%}",
                ]
            )
    return table(
        "Input of a thread",
        [
            *("", "USD", "of no caching", "from, to", "tokens", "from the cache"),
            *("misses", "without a reason"),
        ],
        rows,
        caption=f"""{MODEL}, input alone, at the catalog's prices, summaries included;
        means of {len(SEEDS)} threads. A miss is a turn that did not read all that the
        one before had left in the cache; the reasons are those of receipts.""",
    )
