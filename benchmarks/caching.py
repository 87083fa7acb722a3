"""What the input of a long thread costs: without caching, with a sliding window, and as
Threadkeep asks.

The requests are made by the product's own functions and replayed against the emulated
prompt cache, at the catalog's prices; nothing is sent, and the clock is that of the
thread. Its rhythm is that of people: most questions come within minutes of each other,
some after a night.
"""

import itertools
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rich.table import Table

from benchmarks.table import table
from bot.claude import catalog
from bot.claude.request import parameters
from bot.context import cache_lifetime, prompt, summaries
from bot.domain.attachment import FileKind
from bot.domain.completion import ChatMessage, Request, RequestFile, Usage
from bot.domain.message import Message
from bot.domain.scope import ThreadKey
from bot.domain.summary import ReadTurn
from bot.settings.options import BY_NAME
from tests.emulators.claude.prompt import PrefixCache, size_of
from tests.support.process import ROOT

MODEL = catalog.DEFAULT_MODEL
TURNS = (20, 100)
#: Messages that a sliding window keeps: what other bots call "the last 20".
WINDOW = 20
#: As in Claude facts 3.3: tokens of the system prompt, a question and an answer.
SYSTEM, QUESTION, ANSWER = 1_000, 150, 350
#: Tokens of a summary (Claude facts 3.4), and of a thread that gets one.
SUMMARY, SUMMARY_AT = 1_200, int(BY_NAME["summary_at"].default)
#: Chances of a pause within five minutes and within the hour; else it is a night.
SOON, LATER = 0.7, 0.25
SEED = 3
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


def thread(turns: int, seed: int = SEED, *, files: bool = False) -> list[Asked]:
    """Return a thread of `turns` questions; with `files`, one comes with the first of
    each ten: a scanned page and a log in turn."""
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
    """Return a page that was scanned, or a log of 10,000 tokens."""
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


def uncached(turns: Sequence[Asked]) -> Iterator[tuple[float, dict[str, Any]]]:
    """Yield bodies of requests that name no cache."""
    for at, request in requests(turns):
        body = parameters(request)
        for block in body["system"]:
            del block["cache_control"]
        yield at, body


def sliding(turns: Sequence[Asked]) -> Iterator[tuple[float, dict[str, Any]]]:
    """Yield bodies with the last `WINDOW` messages, cached for five minutes."""
    for at, request in requests(turns):
        last = request.messages[-WINDOW:]
        # The API wants a question first.
        last = last[1:] if last[0].role == "assistant" else last
        kept = replace(request, messages=last, cache_messages=True, cache_ttl="5m")
        yield at, parameters(kept)


def ours(turns: Sequence[Asked]) -> Iterator[tuple[float, dict[str, Any]]]:
    """Yield bodies as Threadkeep makes them, with those of its summaries."""
    read: list[ReadTurn] = []
    last = START
    for number, (at, request) in enumerate(requests(turns)):
        newest = turns[: number + 1][-cache_lifetime.QUESTIONS :]
        ttl = cache_lifetime.lifetime([each.at for each in newest])
        question = request.messages[-1]
        entries = [entry for each in read for entry in each.entries]
        kept = replace(
            request,
            messages=(*entries, question),
            cache_messages=ttl is not None,
            cache_ttl=ttl or "5m",
        )
        body = parameters(kept)
        yield at, body
        answer = ChatMessage("assistant", turns[number].answer)
        read.append(ReadTurn(number + 1, (question, answer), 2))
        is_silent, last = at - last > summaries.SILENCE, at
        tokens = size_of(body) + ANSWER
        if summaries.is_due(tokens, SUMMARY_AT, silent=is_silent):
            count = summaries.cut(read, tokens, SUMMARY_AT)
            if count:
                covered = read[:count]
                yield (
                    at,
                    parameters(
                        summaries.request(covered, catalog.CHEAP_MODEL, None, "")
                    ),
                )
                content = summaries.content(_words(number, SUMMARY), count)
                entry = ChatMessage("user", content)
                made = ReadTurn(covered[-1].turn, (entry,), 2 * count, is_summary=True)
                read = [made, *read[count:]]


WAYS = {"no caching": uncached, f"last {WINDOW} messages": sliding, "Threadkeep": ours}


@dataclass(frozen=True, slots=True)
class Replayed:
    """The cost of a way."""

    usd: float
    usage: Usage
    #: Turns that read nothing of what the turn before had asked.
    misses: int


def replay(bodies: Iterator[tuple[float, dict[str, Any]]]) -> Replayed:
    """Send `bodies` to the emulated cache."""
    cache, total, usd, misses = PrefixCache(), Usage(), 0.0, 0
    before = 0
    for at, body in bodies:
        usage = cache.spend(body, at)
        usd += catalog.cost(body["model"], usage, at) or 0.0
        if body["model"] != MODEL:
            # The one after a summary is a miss with a reason.
            before = 0
            continue
        misses += usage.cache_read < before
        before = usage.prompt - usage.input
        total += usage
    return Replayed(usd, total, misses)


async def measure(platforms: Sequence[str]) -> Table:
    """Return the cost of input of a thread, in each way."""
    rows = []
    for turns, files in itertools.product(TURNS, (False, True)):
        asked = thread(turns, files=files)
        of = f"{turns} turns{', files' if files else ''}"
        found = {name: replay(way(asked)) for name, way in WAYS.items()}
        base = found["no caching"].usd
        for name, each in found.items():
            rows.append(
                [
                    f"{of}, {name}",
                    f"${each.usd:.3f}",
                    f"{each.usd / base:.2f}",
                    f"{each.usage.prompt:,}",
                    f"{each.usage.cache_read / each.usage.prompt:.0%}",
                    str(each.misses),
                ]
            )
    return table(
        "Input of a thread",
        ["", "USD", "of no caching", "tokens", "read from the cache", "misses"],
        rows,
        caption=f"""{MODEL}, input alone, at the catalog's prices, summaries included. A
        miss is a turn that did not read all that the one before had written, but for
        the one after a summary.""",
    )
