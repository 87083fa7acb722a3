"""The port of a model."""

from collections.abc import AsyncGenerator
from typing import Protocol

from bot.domain.completion import Report, Request


class Model(Protocol):
    """Something that answers."""

    def answer(self, request: Request) -> AsyncGenerator[str | Report, None]:
        """Yield the answer's text as it comes, and what is known of the call.

        Yields a Report as soon as something is billed, and last one with a
        `stop_reason`. Raises a ModelError: before any text after its own
        retries are used up, or ModelCut when the answer breaks off.
        """
        ...

    async def count(self, request: Request, *, files: bool = False) -> int:
        """Return the number of tokens of the prompt of `request`, at no cost.

        Its files are only sent, and counted, with `files`; otherwise they count as
        what is known of them. Raises a ModelError.
        """
        ...
