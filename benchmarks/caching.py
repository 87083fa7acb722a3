"""What the input of a long thread costs: without caching, with a sliding window, and as
Threadkeep asks.

The requests are made by the product's own functions and replayed against the emulated
prompt cache, at the catalog's prices; nothing is sent, and the clock is that of the
thread. Its rhythm is that of people: most questions come within minutes of each other,
some after a night.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rich.table import Table

from benchmarks.table import table
from bot.claude import catalog
from bot.claude.request import parameters
from bot.context import cache_lifetime, prompt
from bot.domain.completion import ChatMessage, Request, Usage
from bot.domain.message import Message
from bot.domain.scope import ThreadKey
from tests.emulators.claude.prompt import PrefixCache

MODEL = catalog.DEFAULT_MODEL
TURNS = (20, 100)
#: Messages that a sliding window keeps: what other bots call "the last 20".
WINDOW = 20
#: As in Claude facts 3.3: tokens of the system prompt, a question and an answer.
SYSTEM, QUESTION, ANSWER = 1_000, 150, 350
#: Chances of a pause within five minutes and within the hour; else it is a night.
SOON, LATER = 0.7, 0.25
SEED = 3
START = 1_796_000_000.0

HERE = ThreadKey("slack", "T1", "C1", "1")


@dataclass(frozen=True, slots=True)
class Asked:
    """One question of the thread, and its answer."""

    at: float
    question: str
    answer: str


def thread(turns: int, seed: int = SEED) -> list[Asked]:
    """Return a thread of `turns` questions."""
    chance, at, found = random.Random(seed), START, list[Asked]()
    for number in range(turns):
        text, answer = _words(number, QUESTION), _words(-number - 1, ANSWER)
        message = Message(HERE, str(number), at, "U1", text, True, not number)
        content = f"{prompt.preface(at)}\n{prompt.label(message, 'Alice', text)}"
        found.append(Asked(at, content, answer))
        kind = chance.random()
        if kind < SOON:
            at += chance.uniform(20, 300)
        elif kind < SOON + LATER:
            at += chance.uniform(300, 3_600)
        else:
            at += chance.uniform(8, 20) * 3_600
    return found


def _words(number: int, tokens: int) -> str:
    return f"{number}: " + "word " * (tokens * 4 // 5)


def requests(turns: Sequence[Asked]) -> Iterator[tuple[float, Request]]:
    """Yield each turn's time and request, with the whole thread and no caching."""
    messages: list[ChatMessage] = []
    for turn in turns:
        messages.append(ChatMessage("user", turn.question))
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
    """Yield bodies as Threadkeep makes them."""
    for number, (at, request) in enumerate(requests(turns)):
        newest = turns[: number + 1][-cache_lifetime.QUESTIONS :]
        ttl = cache_lifetime.lifetime([each.at for each in newest])
        kept = replace(request, cache_messages=ttl is not None, cache_ttl=ttl or "5m")
        yield at, parameters(kept)


WAYS = {"no caching": uncached, f"last {WINDOW} messages": sliding, "Threadkeep": ours}


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a way cost."""

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
        misses += usage.cache_read < before
        before = usage.prompt - usage.input
        usd += catalog.cost(MODEL, usage, at) or 0.0
        total += usage
    return Replayed(usd, total, misses)


async def measure(platforms: Sequence[str]) -> Table:
    """Return the cost of input of a thread, in each way."""
    rows = []
    for turns in TURNS:
        asked = thread(turns)
        found = {name: replay(way(asked)) for name, way in WAYS.items()}
        base = found["no caching"].usd
        for name, each in found.items():
            rows.append(
                [
                    f"{turns} turns, {name}",
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
        caption=f"""{MODEL}, input alone, at the catalog's prices. A miss is a turn that
        did not read all that the one before had written.""",
    )
