"""Reads one answer of the model into a reply, until it ends or is stopped."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from bot.claude import cost
from bot.conversation.outcomes import conclude
from bot.conversation.stop_signal import StopSignal
from bot.delivery.reply import StreamedReply
from bot.domain.completion import Call, Report, Request
from bot.domain.turn import Outcome, Turn
from bot.errors import FileRefused, ModelError, PromptTooLong
from bot.ports.model import Model

#: Reserves the highest possible cost of all these calls; raises ModelUnpaid.
Extend = Callable[[Sequence[Call]], Awaitable[None]]


class AnswerStream:
    """One answer, up to the text that has arrived."""

    def __init__(
        self, model: Model, reply: StreamedReply, now: Callable[[], float]
    ) -> None:
        self._model = model
        self._reply = reply
        self._now = now
        #: Whether the model was asked at all, and the last request.
        self._asked = False
        self.sent: Request | None = None
        self._report: Report | None = None
        self._error: ModelError | None = None
        #: The time of the first text, in seconds since 1970.
        self._first_text: float | None = None

    @property
    def refusal(self) -> PromptTooLong | FileRefused | None:
        """The refusal of the last request because of its size or of a file in it.

        None if text arrived before.
        """
        if self._reply.text or not isinstance(self._error, PromptTooLong | FileRefused):
            return None
        return self._error

    @property
    def has_failed(self) -> bool:
        """True if the last request ended with an error."""
        return self._error is not None

    def has_reposted(self, turn: Turn) -> bool:
        """Return whether people deleted a message of the earlier answer of `turn`, and
        the new one has another in its place."""
        now = self._reply.messages
        return any(s.message and now.get(s.index) != s.message for s in turn.shown)

    async def read(
        self, request: Request, head: str, extend: Extend, stop: StopSignal
    ) -> Outcome:
        """Stream the answer to `request`, with `head` above it, and return the outcome.

        The stream ends by itself or when a stop is requested.
        """
        self._asked, self._error, self.sent = True, None, request
        self._reply.begin(head)
        try:
            async with asyncio.TaskGroup() as tasks:
                reading = tasks.create_task(self._read(request, extend))
                stop.end_on_request(reading)
        finally:
            stop.end_on_request(None)
        return self.outcome(stopped=reading.cancelled())

    def outcome(self, *, stopped: bool) -> Outcome:
        """Return the outcome and the cost of the answer if it ends now."""
        outcome = conclude(
            self._reply.text, self._report, error=self._error, stopped=stopped
        )
        # Text is billed as it is generated, but only the end of a stream reports the
        # amount.
        asked = self._asked and self._error is None
        bill = cost.bill(self._report, asked=asked, at=self._now())
        return replace(
            outcome,
            head=self._reply.head if outcome.text.strip() else "",
            usage=bill.usage,
            cost=bill.cost,
            bounded=bill.bounded,
            first_text=self._first_text,
            asked=self._report.asked if self._report else (),
            left_out=self._report.failed if self._report else (),
        )

    async def _read(self, request: Request, extend: Extend) -> None:
        try:
            async with contextlib.aclosing(self._model.answer(request)) as answer:
                async for piece in answer:
                    if isinstance(piece, Report):
                        if piece.activity:
                            self._reply.show_progress(piece.activity)
                        if not piece.ahead:
                            self._report = piece
                        if cost.exceeds_reserve(piece):
                            await extend(piece.calls or ())
                        # The call announced by `ahead` is made only after its cost is
                        # reserved.
                        self._report = piece
                        continue
                    if self._first_text is None:
                        self._first_text = self._now()
                    await self._reply.feed(piece)
        except ModelError as error:
            self._error = error
