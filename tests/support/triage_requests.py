"""What tests of triage share: answers of the emulator, and a client of it."""

import json
from collections.abc import AsyncIterator
from typing import Any

import anthropic

from bot.claude.client import client
from bot.schemes.scheme import default
from bot.triage.answer import Answer
from bot.triage.bulk.concurrent import ConcurrentClassifier, Question
from tests.emulators.claude.emulator import ClaudeEmulator

MODEL = "claude-haiku-5-5"
GOOD = {"category": "bug", "priority": "high", "summary": "It broke."}


def sorted_as(**values: Any) -> str:
    """An answer that fits the default scheme."""
    return json.dumps(GOOD | values)


def api(claude: ClaudeEmulator) -> anthropic.AsyncAnthropic:
    """The client that triage uses, of the emulator."""
    return client(claude.api_key, claude.base_url, bulk=True)


class Sleeps:
    """Stands for time: every wait passes at once and is remembered."""

    def __init__(self) -> None:
        self.waits: list[float] = []
        self.now = 0.0

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


def direct(
    claude: ClaudeEmulator, time: Sleeps | None = None, **more: Any
) -> ConcurrentClassifier:
    """What asks about tickets, with time that passes at once."""
    time = time or Sleeps()
    return ConcurrentClassifier(
        api(claude),
        default(),
        MODEL,
        clock=time.clock,
        sleep=time.sleep,
        chance=lambda: 0.0,
        **more,
    )


async def sort(direct: ConcurrentClassifier, *texts: str) -> list[tuple[str, Answer]]:
    """What becomes of tickets, in the order in which it came; raises what `sort` does,
    with that as its note."""
    found: list[tuple[str, Answer]] = []

    async def questions() -> AsyncIterator[Question]:
        for text in texts:
            yield Question(text, text)

    async def keep(question: Question, answer: Answer) -> None:
        found.append((question.name, answer))

    try:
        await direct.sort(questions(), keep)
    finally:
        await direct.client.close()
        direct.__dict__["found"] = found
    return found
