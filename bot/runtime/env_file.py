"""Reads the file `.env` in the working directory, and changes it line by line."""

import io
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import dotenv
from dotenv.parser import Binding, parse_stream

from bot.errors import ConfigError
from bot.messages import config as messages
from bot.runtime import private_files

FILE = Path(".env")

# A comment after a value.
_COMMENT = re.compile(r"[ \t]#[^\r\n]*")
_OURS = ("THREADKEEP_", "SLACK_", "DISCORD_", "ANTHROPIC_")
_IN_QUOTES = re.compile(r"""\s{0,9}(["'])((?:(?!\1)[^\n]){0,20000})\1\s{0,9}""")
_BARE = re.compile(r"[\w.:/@%+=,*~-]*")


@dataclass(frozen=True, slots=True)
class EnvFile:
    """The content of an `.env` file."""

    #: The variables, with `${…}` expanded.
    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    #: The last line that sets each variable, counted from 1.
    lines: Mapping[str, int] = field(default_factory=dict)
    #: A sentence for each line that sets nothing or repeats a variable, without quoting
    #: the line.
    problems: tuple[str, ...] = ()


def read(path: Path = FILE) -> EnvFile:
    """Return the content of the file `path`; an empty `EnvFile` if it does not exist.

    Raises ConfigError if the file cannot be read.
    """
    try:
        text = _text(path)
    except FileNotFoundError:
        return EnvFile()
    except OSError as error:
        raise ConfigError(messages.dotenv_unreadable(reason=error.strerror)) from None
    except UnicodeDecodeError:
        # The error itself would quote the file.
        raise ConfigError(messages.DOTENV_NOT_UTF8) from None
    lines: dict[str, int] = {}
    problems: list[str] = []
    sound: list[str] = []
    for binding in parse_stream(io.StringIO(text)):
        line = _line(binding)
        if binding.error or (binding.key is not None and binding.value is None):
            problems.append(messages.dotenv_line(line=line))
            continue
        sound.append(binding.original.string)
        if binding.key is not None:
            if binding.key in lines:
                first = lines[binding.key]
                problems.append(messages.dotenv_twice(line=line, first=first))
            lines[binding.key] = line
    found = dotenv.dotenv_values(stream=io.StringIO("".join(sound)))
    values = {k: v for k, v in found.items() if v is not None}
    return EnvFile(values, lines, tuple(problems))


def unquoted(env: Mapping[str, str]) -> dict[str, str]:
    """Return `env` with the quotes around whole values of our variables removed.

    Container tools that pass on the variables of a file keep the quotes.
    """
    return {
        name: found[2] if name.startswith(_OURS) and found else value
        for name, value in env.items()
        for found in (_IN_QUOTES.fullmatch(value),)
    }


def write(changes: Mapping[str, str], path: Path = FILE) -> None:
    """Set the variables `changes` in the file `path`, and make it private to its owner.

    Other lines and comments are kept. The file is replaced atomically, so a crash
    leaves either the old or the new file. Raises OSError.
    """
    # Replace the target of a symbolic link, not the link.
    path = path.resolve()
    try:
        text = _text(path)
    except FileNotFoundError:
        text = ""
    left = dict(changes)
    parts: list[str] = []
    for binding in parse_stream(io.StringIO(text)):
        name = binding.key or ""
        if name in changes:
            parts.append(_replace_value(binding, changes[name]))
            left.pop(name, None)
        else:
            parts.append(binding.original.string)
    if left and parts and not parts[-1].endswith(("\n", "\r")):
        parts.append("\n")
    parts += [f"{name}={_quote(value)}\n" for name, value in left.items()]
    _replace(path, "".join(parts))


def _text(path: Path) -> str:
    # Reading text with universal newlines would change the lines that are kept.
    return path.read_bytes().decode("utf-8-sig")


def _line(binding: Binding) -> int:
    """Return the line on which `binding` begins, after the blank lines it includes."""
    text = binding.original.string
    blank = text[: len(text) - len(text.lstrip())]
    return int(binding.original.line) + len(blank.splitlines())


def _replace_value(binding: Binding, value: str) -> str:
    """Return the lines of `binding` with `value` in place of its value."""
    text = binding.original.string
    body = text.strip()
    before = text[: text.index(body)]
    after = text[len(before) + len(body) :]
    export = "export " if body.startswith("export ") else ""
    found = _COMMENT.search(body)
    kept = found[0] if found and found[0].strip() not in (binding.value or "") else ""
    return f"{before}{export}{binding.key}={_quote(value)}{kept}{after}"


def _quote(value: str) -> str:
    if _BARE.fullmatch(value):
        return value
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _replace(path: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(prefix=".env-", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, private_files.OWN)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
