"""A conversation in the terminal, without an account or a network.

If the input is a terminal, answers are rendered as they grow; if it is a file or a
pipe, each line is a message and answers are printed as plain text.
"""

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TextIO

from prompt_toolkit.input import DummyInput, Input
from prompt_toolkit.keys import Keys
from rich.table import Table
from rich.text import Text

from adapters.terminal import command_names, prompt
from adapters.terminal.answer_view import (
    PlainScreen,
    RichScreen,
    Screen,
    SilentScreen,
    as_markdown,
)
from adapters.terminal.attached_files import AttachedFiles
from adapters.terminal.directory import (
    AUTHOR,
    CHANNEL,
    OWNER,
    WORKSPACE,
    TerminalDirectory,
)
from adapters.terminal.prompt import TypedAhead
from adapters.terminal.surface import LIMITS, TerminalSurface
from bot.domain.message import Message
from bot.domain.scope import Scope, ThreadKey
from bot.domain.turn import ThreadSummary, Turn
from bot.errors import StorageError
from bot.messages import phrases
from bot.messages import terminal as texts
from bot.ports.host import Host
from bot.ports.wakeups import PeriodicTask
from bot.runtime import terminal, terminal_markdown
from bot.text import references, times
from bot.text.numbers import number
from bot.ui.elements import WHERE, Command, Form

LISTED = 20
RECALLED = 6

# Seconds between two checks whether an answer is still open. They are needed for an
# answer that shows nothing, such as one that was stopped before it began.
LOOK = 0.25

# Words that end the conversation, as in other programs.
LEAVE = ("exit", "quit", ":q")


class TerminalAdapter:
    """The adapter for the person at the keyboard. All messages are in the store, and
    there is no channel to post in."""

    name = "terminal"
    limits = LIMITS
    history = None
    messenger = None
    prober = None
    periodic_tasks: Sequence[PeriodicTask] = ()

    def __init__(
        self,
        source: TextIO,
        out: TextIO,
        *,
        history: Path | None = None,
        light: bool = False,
    ) -> None:
        self.directory = TerminalDirectory()
        self.files = AttachedFiles()
        self._source = source
        self._out = out
        self._console = terminal.on(out)
        self._history = history
        self._light = light
        #: Whether the next line is written in an editor.
        self._edits = False
        self.thread = _new_thread()
        self._opens = True
        #: Whether the answer is complete, and whether to stop it. `_noticed` is set
        #: when one of these changes.
        self._is_answered = self._stops = False
        self._noticed = asyncio.Event()
        self._keys: Input = DummyInput()
        self._ahead = TypedAhead()
        #: The view of the answer in this thread.
        self._shown: Screen = SilentScreen()
        self._listed: list[ThreadSummary] = []

    async def run(self, host: Host) -> None:
        """Read lines until the end of the input, or until the person leaves."""
        host.health.local(self.name)
        async for line in self._lines(host):
            if line.removeprefix("/") in LEAVE and (
                self._is_interactive or line.startswith("/")
            ):
                return
            if line.startswith("/"):
                await self._run_command(line, host)
            elif line:
                await self._ask(line, host)

    async def resolve_thread(self, turn: Turn) -> ThreadKey:
        """Return the thread of `turn`, which always exists here."""
        return turn.thread

    @contextlib.asynccontextmanager
    async def surface(self, turn: Turn) -> AsyncIterator[TerminalSurface]:
        """Open the reply to `turn`: on the screen, unless another thread is shown."""
        screen = self._screen(turn.thread)
        if turn.thread == self.thread:
            self._shown = screen
            screen.type_ahead(self._ahead.text)
        try:
            yield TerminalSurface(screen)
        finally:
            with contextlib.suppress(BrokenPipeError):
                screen.close()
            if turn.thread == self.thread:
                self._shown = SilentScreen()
                self._is_answered = True
                self._noticed.set()

    async def readable(self, messages: Sequence[Message]) -> list[tuple[str, str]]:
        """Return ("User", text) of each message."""
        return [(texts.USER, each.text) for each in messages]

    def typed(self, message: Message) -> str:
        """Return the text of `message`."""
        return message.text

    async def tell(self, workspace: str, user: str, text: str) -> None:
        """Print `text`."""
        self._say(text)

    @property
    def _is_interactive(self) -> bool:
        return self._source.isatty() and self._out.isatty()

    def _screen(self, thread: ThreadKey) -> Screen:
        if thread != self.thread:
            return SilentScreen()
        if self._is_interactive:
            return RichScreen(self._console, light=self._light)
        return PlainScreen(self._out)

    async def _lines(self, host: Host) -> AsyncIterator[str]:
        if not self._is_interactive:
            while line := await asyncio.to_thread(self._source.readline):
                yield line.strip()
            return
        self._say(texts.WELCOME)
        commands = command_names.describe_commands(host.commands.catalog)
        session = prompt.create(commands, self._history)
        self._keys = session.input
        while True:
            ahead = self._ahead.take()
            edits, self._edits = self._edits, False

            def begin(edits: bool = edits) -> None:
                if edits:
                    session.default_buffer.open_in_editor(validate_and_handle=True)

            try:
                typed = await session.prompt_async("› ", default=ahead, pre_run=begin)
                yield typed.strip()
            except KeyboardInterrupt:
                self._say(texts.CTRL_D)
            except EOFError:
                return

    async def _ask(self, text: str, host: Host) -> None:
        now = time.time()
        message = Message(
            thread=self.thread,
            message=str(time.time_ns()),
            at=now,
            author=AUTHOR,
            text=text,
            addressed=True,
            opens=self._opens,
            files=self.files.waiting,
        )
        self._opens = False
        self._is_answered = self._stops = False
        try:
            await host.inbox.receive(message)
        except StorageError as error:
            self._say(texts.not_stored(error=error))
            return
        self.files.detach()
        await self._wait(host)

    async def _wait(self, host: Host) -> None:
        """Wait for the answer in this thread, if one is expected. Ctrl-C stops the
        answer."""
        with self._stoppable():
            while not self._is_answered:
                self._noticed.clear()
                try:
                    if self._stops:
                        self._stops = False
                        await host.conversations.stop(self.thread)
                    if not await host.conversations.answering(self.thread):
                        return
                except StorageError as error:
                    self._say(texts.not_done(error=error))
                    return
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK):
                        await self._noticed.wait()

    @contextlib.contextmanager
    def _stoppable(self) -> Iterator[None]:
        """Let Ctrl-C stop the answer, and keep the keys typed meanwhile.

        Ctrl-C is read as a key: as a signal it would also reach `make`, which would
        then report an error although we exit with success.
        """

        def pressed() -> None:
            for each in self._keys.read_keys():
                if each.key == Keys.ControlC:
                    self._stops = True
                    self._noticed.set()
                elif self._ahead.press(each):
                    self._shown.type_ahead(self._ahead.text)

        if not self._is_interactive:
            yield
            return
        with self._keys.raw_mode(), self._keys.attach(pressed):
            yield

    async def _run_command(self, line: str, host: Host) -> None:
        command, _, argument = line.partition(" ")
        if command in ("/new", "/clear"):
            self.thread, self._opens = _new_thread(), True
            self._say(texts.NEW_THREAD)
        elif command == "/threads":
            await self._show_threads(argument.strip(), host)
        elif command == "/help":
            self._say(texts.HELP)
        elif command == "/attach":
            self._say(self.files.attach(argument.strip()))
        elif command == "/detach":
            self.files.detach()
            self._say(texts.DETACHED)
        elif command == "/edit" and self._is_interactive:
            self._ahead.text, self._edits = argument, True
        elif given := host.commands.parse(line.removeprefix("/")):
            await self._command(given, host)
        elif command == "/set":
            self._list_settings(argument, host)
        elif near := command_names.nearest(command, host.commands.catalog):
            self._say(texts.nearest_command(command=command, nearest=near))
        else:
            self._say(texts.no_such_command(command=command))

    async def _command(self, command: Command, host: Host) -> None:
        self._is_answered = self._stops = False
        try:
            reply = await host.commands.run(command, Scope.of(self.thread), OWNER)
        except StorageError as error:
            self._say(texts.not_done(error=error))
            return
        if isinstance(reply, Form):
            self._show_form(reply, host)
            return
        self._show(reply.file.text if reply.file is not None else reply.whole)
        if reply.sections and command.verb == "settings":
            self._say(texts.ALL_SETTINGS)
        for button in reply.buttons:
            # There are no buttons here, but commands for other views of the response
            # can be typed.
            if button.command.verb == command.verb:
                given = command_names.typed_name(button.command)
                self._say(texts.instead_of_button(label=button.label, command=given))
        await self._wait(host)

    def _show_form(self, form: Form, host: Host) -> None:
        """Print the current values of the fields of `form`, and how to set them
        here."""
        if not form.applies:
            name = next(each.name for each in form.fields if each.name != WHERE)
            self._say(texts.no_forms(name=name))
            return
        known = dict(command_names.settings(host.commands.catalog))
        names = [each.name for each in form.fields if each.name in known]
        self._show(f"{form.applies}\n\n{texts.how_to_set(names=names)}")

    def _list_settings(self, argument: str, host: Host) -> None:
        known = command_names.settings(host.commands.catalog)
        name = argument.split()[0] if argument.split() else ""
        if name and name not in {each for each, _ in known}:
            self._say(texts.no_such_setting(name=name))
            return
        table = Table.grid(padding=(0, 2))
        for each, label in known:
            table.add_row(Text(each), Text(label, style="dim"))
        self._say(texts.WHICH_SETTING)
        self._console.print(table)

    def _show(self, text: str) -> None:
        """Print `text` with its line breaks; on a terminal, render it as Markdown."""
        self._say(as_markdown(text) if self._is_interactive else text)

    async def _show_threads(self, argument: str, host: Host) -> None:
        if not argument:
            self._listed = (await host.conversations.threads(self.name, CHANNEL))[
                :LISTED
            ]
            self._list()
        elif 0 < (nth := number(argument) or 0) <= len(self._listed):
            await self._enter(self._listed[nth - 1], host)
        else:
            self._say(texts.LIST_FIRST)

    def _list(self) -> None:
        if not self._listed:
            self._say(texts.NO_THREADS)
            return
        table = Table("", texts.THREAD, texts.TURNS, texts.LAST, box=None)
        for nth, each in enumerate(self._listed, 1):
            last = times.without_year(each.last, zone=None)
            here = "›" if each.thread == self.thread else ""
            table.add_row(f"{here}{nth}", Text(each.title), str(each.turns), last)
        self._console.print(table)
        self._say(texts.GO_BACK)

    async def _enter(self, summary: ThreadSummary, host: Host) -> None:
        self.thread, self._opens = summary.thread, False
        said = await host.conversations.transcript(summary.thread)
        if len(said) > RECALLED:
            self._say(texts.earlier_messages(count=len(said) - RECALLED))
        for author, text in said[-RECALLED:]:
            if author:
                self._console.print(Text(f"› {text}", style="bold"))
            else:
                self._say(text)

    def _say(self, text: str) -> None:
        here = references.channel(CHANNEL)
        text = text.replace(here, phrases.THIS_CHANNEL)
        text = references.plain_text(text, zone=None)
        if self._is_interactive:
            self._console.print(terminal_markdown.markdown(text, light=self._light))
        else:
            terminal.say(text, file=self._out)


@contextlib.asynccontextmanager
async def connect(env: Mapping[str, str]) -> AsyncIterator[TerminalAdapter]:
    """Yield an adapter for the terminal of this process. Typed lines are kept in a file
    `history` beside the database."""
    history = Path(env["THREADKEEP_DB"]).with_name("history")
    light = terminal.is_light(env.get("COLORFGBG", ""))
    try:
        yield TerminalAdapter(sys.stdin, sys.stdout, history=history, light=light)
    finally:
        _flush(sys.stdout)


def _flush(out: TextIO) -> None:
    """Flush `out`. If its reader has ended, as in `threadkeep serve | head -3`, discard
    the rest, because Python would report an error at exit."""
    try:
        out.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())


def _new_thread() -> ThreadKey:
    return ThreadKey("terminal", WORKSPACE, CHANNEL, str(time.time_ns()))
