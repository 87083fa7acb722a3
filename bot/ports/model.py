"""The port of a model."""

from collections.abc import AsyncGenerator
from typing import Protocol

from bot.domain.completion import Report, Request


class Model(Protocol):
    """A language model that answers requests."""

    def answer(self, request: Request) -> AsyncGenerator[str | Report, None]:
        """Yield the answer's text as it arrives, and reports about the call.

        Yields a Report as soon as something is billed, and a last one with a
        `stop_reason`. Raises a ModelError: before any text once its own retries are
        used up, or ModelCut when the answer breaks off.
        """
        ...

    async def count(self, request: Request, *, files: bool = False) -> int:
        """Return the number of tokens of the prompt of `request`, at no cost.

        The files of `request` are sent and counted only with `files`; otherwise their
        known tokens are added. Raises a ModelError.
        """
        ...
