"""Files that are attached in the terminal."""

import io
import os
from pathlib import Path

import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from adapters.terminal.attached_files import MOST_FILES, AttachedFiles
from adapters.terminal.prompt import CommandCompleter
from bot.domain.attachment import Attachment
from bot.domain.scope import Scope
from bot.errors import FileUnread, Unread
from tests.adapters.terminal.test_terminal import talk
from tests.support.memory_store import MemoryStore
from tests.support.scripted_model import ScriptedModel

PLACE = Scope("terminal", "local", "local")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("a.txt", "b c.txt", "Bob's.txt"):
        (tmp_path / name).write_text(name)
    return tmp_path


async def outcome(files: AttachedFiles, path: str, most: int = 100) -> object:
    into = io.BytesIO()
    try:
        await files.fetch(PLACE, Attachment("a", path), into, most)
    except FileUnread as why:
        return why.reason
    return into.getvalue()


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("a.txt", ["a.txt"]),
        ("~/a.txt 'b c.txt' a.txt", ["a.txt", "b c.txt"]),
        ('"b c.txt" b\\ c.txt ./a.txt', ["b c.txt", "a.txt"]),
        ("b c.txt", ["b c.txt"]),
        ("Bob's.txt", ["Bob's.txt"]),
    ],
)
def test_paths_are_typed_as_in_a_shell(
    folder: Path, typed: str, names: list[str]
) -> None:
    files = AttachedFiles()
    files.attach(typed)
    assert [(each.name, each.url, each.size) for each in files.waiting] == [
        (name, str(folder / name), len(name)) for name in names
    ]


def test_what_cannot_be_attached_is_named_in_one_sentence(folder: Path) -> None:
    files = AttachedFiles()
    os.mkfifo(folder / "pipe")
    for typed, told in {
        "": 'Name the files: `/attach notes.pdf "my picture.png"`.',
        "none.txt": "There is no file `none.txt`.",
        "'a.txt": "There is no file `'a.txt`.",
        "a.txt\0": "There is no file `a.txt\0`.",
        "x" * 5_000: f"`{'x' * 5_000}` is not a file that you may read.",
        ".": "`.` is not a file that you may read.",
        "pipe": "`pipe` is not a file that you may read.",
        "/dev/zero": "`/dev/zero` is not a file that you may read.",
    }.items():
        assert files.attach(typed) == told
    told = files.attach("none.txt a.txt")
    assert told == "There is no file `none.txt`.\n\nWith your next question: `a.txt`."
    for number in range(MOST_FILES):
        (folder / str(number)).touch()
    told = files.attach(" ".join(map(str, range(MOST_FILES))))
    assert told.startswith("At most 20 files go with a question.")
    assert len(files.waiting) == MOST_FILES


async def test_only_what_was_attached_here_is_opened(folder: Path) -> None:
    files, path = AttachedFiles(), str(folder / "a.txt")
    assert await outcome(files, path) is Unread.UNAVAILABLE
    files.attach("a.txt")
    files.detach()
    assert await outcome(files, path) == b"a.txt"
    assert await outcome(files, path, 4) is Unread.TOO_LARGE
    assert await outcome(files, str(folder / "b c.txt")) is Unread.UNAVAILABLE
    assert await outcome(AttachedFiles(), path) is Unread.UNAVAILABLE
    (folder / "a.txt").unlink()
    assert await outcome(files, path) is Unread.DELETED
    (folder / "a.txt").mkdir()
    assert await outcome(files, path) is Unread.UNAVAILABLE


async def test_a_file_goes_with_the_next_question_only(folder: Path) -> None:
    model = ScriptedModel()
    typed = "/attach a.txt\nwhat is it?\nand now?\n/attach a.txt\n/detach\nagain\n"
    printed = await talk(typed, model, MemoryStore())
    assert "With your next question: `a.txt`" in printed
    asked = [each.messages[-1].content.count("a.txt") for each in model.requests]
    assert [bool(count) for count in asked] == [True, False, False]


@pytest.mark.parametrize(
    ("typed", "rest"),
    [("/att", "/attach"), ("/attach a", ".txt"), ('/attach a.txt "b c', ".txt")],
)
def test_commands_and_paths_are_completed(folder: Path, typed: str, rest: str) -> None:
    completer = CommandCompleter([("attach", "…")])
    found = completer.get_completions(Document(typed), CompleteEvent())
    assert [each.text for each in found] == [rest]
