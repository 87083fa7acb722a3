"""The prompt, with completion, history, several lines and an external editor."""

import contextlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.completion import (
    CompleteEvent,
    Completer,
    Completion,
    PathCompleter,
)
from prompt_toolkit.document import Document
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPress, KeyPressEvent
from prompt_toolkit.keys import Keys
from prompt_toolkit.shortcuts import CompleteStyle

from bot.runtime import private_files

#: The command that is completed with paths.
ATTACH = "/attach "


class CommandCompleter(Completer):
    """Completes commands that begin with a slash, and the paths after `/attach`.
    `commands` are (name, summary) pairs, without the slash."""

    def __init__(self, commands: Sequence[tuple[str, str]]) -> None:
        self._commands = commands
        self._paths = PathCompleter(expanduser=True)

    def get_completions(
        self, document: Document, complete_event: CompleteEvent
    ) -> Iterable[Completion]:
        """Yield the commands that begin with the text before the cursor, or the
        paths."""
        text = document.text_before_cursor
        if not text.startswith("/") or "\n" in text:
            return
        if text.startswith(ATTACH):
            path = Document(_last_path(text.removeprefix(ATTACH)))
            yield from self._paths.get_completions(path, complete_event)
            return
        for name, about in self._commands:
            if f"/{name}".startswith(text.lower()):
                yield Completion(f"/{name}", -len(text), display_meta=about)


def _last_path(text: str) -> str:
    """Return the path that `text` ends with: from its quote on, if one is open."""
    quote = max(text.rfind('"'), text.rfind("'"))
    if quote >= 0 and text.count(text[quote]) % 2:
        return text[quote + 1 :]
    return text.rpartition(" ")[2]


class TypedAhead:
    """Collects the text typed while an answer is written. The next prompt begins with
    this text, so that nothing is sent unseen; Enter adds a line break to it."""

    def __init__(self) -> None:
        self.text = ""

    def press(self, key: KeyPress) -> bool:
        """Handle `key`; return whether it changed the text."""
        before = self.text
        if key.key in (Keys.ControlM, Keys.ControlJ):
            self.text += "\n"
        elif key.key is Keys.ControlH:
            self.text = self.text[:-1]
        elif key.data.isprintable():
            self.text += key.data
        return self.text != before

    def take(self) -> str:
        """Return the text, and clear it."""
        text, self.text = self.text.strip("\n"), ""
        return text


def create(
    commands: Sequence[tuple[str, str]], history: Path | None
) -> PromptSession[str]:
    """Return a prompt. Enter sends, Alt-Enter begins a new line, Ctrl-R searches
    earlier lines, Ctrl-X Ctrl-E opens $EDITOR.

    Typed lines are kept in the file `history`, which only its owner can read. If
    `history` is None or cannot be written, they are kept in memory.
    """
    keys = KeyBindings()

    @keys.add("escape", "enter")
    # In keys typed before the prompt appears, Enter is a line feed.
    @keys.add("escape", "c-j")
    def begin_line(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    return PromptSession(
        history=_history(history),
        completer=CommandCompleter(commands),
        complete_while_typing=False,
        complete_style=CompleteStyle.READLINE_LIKE,
        auto_suggest=AutoSuggestFromHistory(),
        enable_open_in_editor=True,
        key_bindings=keys,
    )


def _history(file: Path | None) -> History:
    if file is not None:
        with contextlib.suppress(OSError):
            private_files.make_private(file)
            with file.open("ab"):
                return FileHistory(file)
    return InMemoryHistory()
