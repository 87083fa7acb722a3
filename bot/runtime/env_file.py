"""Reads the file `.env` in the working directory, and changes it line by line."""

import io
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import dotenv
from dotenv.parser import Binding, Original, parse_stream

from bot.errors import ConfigError
from bot.messages import config as messages
from bot.runtime import private_files

FILE = Path(".env")

# A comment after a value.
_COMMENT = re.compile(r"[ \t]#[^\r\n]*")
_OURS = ("THREADKEEP_", "SLACK_", "DISCORD_", "ANTHROPIC_")
_IN_QUOTES = re.compile(r"""\s{0,9}(["'])((?:(?!\1)[^\n]){0,20000})\1\s{0,9}""")
_BARE = re.compile(r"[\w.:/@%+=,*~-]*")
_NEWLINE = re.compile(r"\r\n|\r|\n")
_NAME = r"[ \t]*(?:export[ \t]+)?[A-Za-z_][\w.-]*[ \t]*="
_NEXT_NAME = re.compile(rf"(?<=[\r\n]){_NAME}")
_NAME_AND_QUOTE = re.compile(rf"{_NAME}[ \t]*[\"']")
_OUR_NAME = re.compile(
    r"[ \t]*(?:export[ \t]+)?(?:THREADKEEP|SLACK|DISCORD|ANTHROPIC)_\w*[ \t]*="
)


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
    for line, binding in _bindings(text):
        if binding.error or (binding.key is not None and binding.value is None):
            quoted = _NAME_AND_QUOTE.match(binding.original.string.lstrip())
            problem = messages.dotenv_quotes if quoted else messages.dotenv_line
            problems.append(problem(line=line))
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
    for _, binding in _bindings(text):
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


def _bindings(text: str) -> Iterator[tuple[int, Binding]]:
    """Yield each binding of `text` with its line, after the blank lines it includes.

    A value whose quotes do not match ends before the next line that begins with a name.
    The parser would look for the other quote in all following lines, and drop the
    variables in them.
    """
    line = 1
    text = text.removeprefix("\ufeff")
    while text:
        at = 0
        for binding in parse_stream(io.StringIO(text)):
            whole = binding.original.string
            body = whole.lstrip()
            blank = whole[: len(whole) - len(body)]
            broken = _is_unbalanced(binding, body)
            if broken:
                found = _NEXT_NAME.search(text, at + len(blank) + 1)
                whole = text[at : found.start() if found else None]
                original = Original(whole, binding.original.line)
                binding = Binding(None, None, original, error=True)
            yield line + len(_NEWLINE.findall(blank)), binding
            line += len(_NEWLINE.findall(whole))
            at += len(whole)
            if broken:
                break
        text = text[at:]


def _is_unbalanced(binding: Binding, body: str) -> bool:
    """Return True if `binding`, whose text is `body`, lacks a quote or has one more."""
    lines = _NEWLINE.split(body.strip())
    if binding.error:
        return len(lines) > 1 or _NAME_AND_QUOTE.match(body) is not None
    # The quote that ends this value belongs to another variable: `NAME=value"`.
    return len(lines) > 1 and _OUR_NAME.match(lines[-1]) is not None


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
