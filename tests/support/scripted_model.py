"""A Model that follows the script of a test.

It keeps the contract of Model if its script does. A script sets the text and the
failures, never the order of reports.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence

from bot.claude.request import load_files
from bot.domain.completion import Report, Request, Usage, file_tokens
from bot.errors import ModelError

#: A text or a Report is yielded, an Event is waited for, an error is raised.
Line = str | asyncio.Event | ModelError | Report

USAGE = Usage(input=10, output=5)


class ScriptedModel:
    """Answers with the scripts in order, then with "Understood." or as `always` says.

    `ScriptedModel(["The capital of ", ModelCut("gone")], ["is Paris."])` breaks off
    once and answers the second time. A script without an error ends with
    `stop_reason="end_turn"`, unless it has a Report with another one.
    """

    def __init__(self, *scripts: Sequence[Line]) -> None:
        #: How many answers are in progress.
        self.answering = 0
        self.begin_anew(*scripts)

    def begin_anew(self, *scripts: Sequence[Line]) -> None:
        """Forget all requests, and replace the scripts."""
        self.requests: list[Request] = []
        #: The requests whose answer was closed before its end.
        self.hung_up: list[Request] = []
        #: The error raised when files are counted; None for no error.
        self.uncountable: ModelError | None = None
        self._scripts = list(scripts)
        self._always: Sequence[Line] = ("Understood.",)

    def script(self, *lines: Line) -> None:
        """Add a script after the remaining ones."""
        self._scripts.append(lines)

    def always(self, *lines: Line) -> None:
        """Answer with `lines` when no script is left."""
        self._always = lines

    def forget(self) -> None:
        """Drop the remaining scripts."""
        self._scripts.clear()

    async def answer(self, request: Request) -> AsyncGenerator[str | Report, None]:
        """Answer as the next script says. Raises its ModelError."""
        request = await load_files(request)
        self.requests.append(request)
        lines = self._scripts.pop(0) if self._scripts else self._always
        last = Report(request.model, f"req_{len(self.requests)}", Usage(input=10))
        self.answering += 1
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
        finally:
            self.answering -= 1

    async def count(self, request: Request, *, files: bool = False) -> int:
        """Return one token per four characters. With `files`, count one token per four
        bytes of files, else their estimated tokens."""
        if files and self.uncountable:
            raise self.uncountable
        texts = [request.system, *(said.content for said in request.messages)]
        sent = [file for said in request.messages for file in said.files]
        if files:
            return sum(map(len, (*texts, *(file.data for file in sent)))) // 4
        return sum(map(len, texts)) // 4 + sum(map(file_tokens, sent))
