"""Answers, clients and classifiers on the emulator, for tests of triage."""

import json
from collections.abc import AsyncIterator
from typing import Any

from bot.claude.client import ClaudeClient, client
from bot.schemes.scheme import default
from bot.triage.answer import Answer
from bot.triage.bulk.concurrent import ConcurrentClassifier, Question
from tests.emulators.claude.emulator import ClaudeEmulator

MODEL = "claude-haiku-5-5"
GOOD = {"category": "bug", "priority": "high", "summary": "It broke."}


def sorted_as(**values: Any) -> str:
    """Return an answer that matches the default scheme."""
    return json.dumps(GOOD | values)


def api(claude: ClaudeEmulator) -> ClaudeClient:
    """Return the client that triage uses, connected to the emulator."""
    return client(claude.api_key, claude.base_url)


class Sleeps:
    """A clock and a sleep function. Every wait ends at once and is recorded."""

    def __init__(self) -> None:
        self.waits: list[float] = []
        self.now = 0.0

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


def concurrently(
    claude: ClaudeEmulator, time: Sleeps | None = None, **more: Any
) -> ConcurrentClassifier:
    """Return a classifier whose waits take no time."""
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


async def classify(
    tested: ConcurrentClassifier, *texts: str
) -> list[tuple[str, Answer]]:
    """Return the answers in order of arrival. They are in `tested.__dict__["found"]`
    even if `classify` raises."""
    found: list[tuple[str, Answer]] = []

    async def questions() -> AsyncIterator[Question]:
        for text in texts:
            yield Question(text, text)

    async def store(question: Question, answer: Answer) -> None:
        found.append((question.name, answer))

    try:
        await tested.classify(questions(), store)
    finally:
        await tested.client.close()
        tested.__dict__["found"] = found
    return found
