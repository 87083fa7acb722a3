"""A request to Claude, a clock that does not wait, and readers of answers."""

import asyncio
import traceback
from collections.abc import Callable

from bot.claude.client import ClaudeModel
from bot.domain.completion import ChatMessage, Report, Request
from bot.errors import ModelError

KEY = "sk-ant-a-key-that-nobody-may-see"
SECRET = "the-prompt-that-nobody-may-see"
ASK = Request(
    model="claude-sonnet-5-5",
    system="You are kind.",
    messages=(ChatMessage("user", f"Hello? {SECRET}"),),
    max_tokens=1000,
)


class Waits:
    """A clock and a sleep function. Every wait ends at once and is recorded."""

    def __init__(self) -> None:
        self.waits: list[float] = []
        self.now = 0.0
        #: Called during each wait, and awaited if it returns a coroutine.
        self.meanwhile: Callable[[], object] = lambda: None

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds
        done = self.meanwhile()
        if asyncio.iscoroutine(done):
            await done


async def said(model: ClaudeModel, request: Request = ASK) -> list[str | Report]:
    """Return every piece of an answer."""
    return [piece async for piece in model.answer(request)]


async def text_of(model: ClaudeModel, request: Request = ASK) -> str:
    """Return the text of an answer."""
    return "".join(p for p in await said(model, request) if isinstance(p, str))


async def broken(model: ClaudeModel, request: Request = ASK) -> tuple[str, ModelError]:
    """Return the text that came before an answer failed, and the error.

    The error must hold neither the key nor the prompt. An error tracker follows the
    chain of an error further than a log does, so the error has no chain.
    """
    text = ""
    try:
        async for piece in model.answer(request):
            text += piece if isinstance(piece, str) else ""
    except ModelError as failure:
        error = failure
    else:
        raise AssertionError(f"the answer did not fail: {text!r}")
    assert (error.__cause__, error.__context__) == (None, None)
    told = "".join(traceback.format_exception(error))
    assert SECRET not in told
    assert KEY not in told
    return text, error
