"""A Model that says what a test tells it to, when the test tells it to.

It passes the contract of Model as long as its script does: a script decides what is
said and how it fails, never the order of reports.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence

from bot.claude.request import loaded
from bot.domain.completion import Report, Request, Usage, file_tokens
from bot.errors import ModelError

#: A text is said, an Event waited for, an error raised; a Report is yielded as it is.
Line = str | asyncio.Event | ModelError | Report

USAGE = Usage(input=10, output=5)


class ScriptedModel:
    """Answers with one script after the other, then with "Understood."

    `ScriptedModel(["The capital of ", ModelCut("gone")], ["is Paris."])` breaks off
    once and answers the second time. Without an error a script ends by itself with
    `stop_reason="end_turn"`; give it a Report to end otherwise.
    """

    def __init__(self, *scripts: Sequence[Line]) -> None:
        self.requests: list[Request] = []
        #: The requests whose answer was hung up on before its end.
        self.hung_up: list[Request] = []
        #: The error of counting files; None for none.
        self.uncountable: ModelError | None = None
        self._scripts = list(scripts)

    def script(self, *lines: Line) -> None:
        """Add one more script after those that are left."""
        self._scripts.append(lines)

    def forget(self) -> None:
        """Answer with no script that is left."""
        self._scripts.clear()

    async def answer(self, request: Request) -> AsyncGenerator[str | Report, None]:
        """Yield what the next script says."""
        request = await loaded(request)
        self.requests.append(request)
        lines = self._scripts.pop(0) if self._scripts else ["Understood."]
        last = Report(request.model, f"req_{len(self.requests)}", Usage(input=10))
        try:
            if not (lines and isinstance(lines[0], ModelError)):
                yield last
            for line in lines:
                if isinstance(line, ModelError):
                    raise line
                if isinstance(line, asyncio.Event):
                    await line.wait()
                    continue
                last = line if isinstance(line, Report) else last
                yield line
            if last.stop_reason is None:
                yield Report(last.model, last.request_id, USAGE, "end_turn")
        except (GeneratorExit, asyncio.CancelledError):
            self.hung_up.append(request)
            raise

    async def count(self, request: Request, *, files: bool = False) -> int:
        """Return a token for every four characters, as they say; and for every four
        bytes of files, which count as what is known of them otherwise."""
        if files and self.uncountable:
            raise self.uncountable
        texts = [request.system, *(said.content for said in request.messages)]
        sent = [file for said in request.messages for file in said.files]
        if files:
            return sum(map(len, (*texts, *(file.data for file in sent)))) // 4
        return sum(map(len, texts)) // 4 + sum(map(file_tokens, sent))
