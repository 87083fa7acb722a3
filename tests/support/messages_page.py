"""Writes `docs/messages.md`: every sentence of `bot.messages`, by name.

`make docs` runs this module. A test fails if the page differs from the code.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from typing import SupportsIndex

import bot.messages
from bot.messages.plurals import Plural
from tests.support.locks import ROOT

FILE = ROOT / "docs" / "messages.md"

HEAD = """\
# Messages

Every sentence that people read in the chat, in the terminal and on the command line,
from `bot/messages/`. `make docs` writes this page from the code; a test fails where
they differ. `{name}` stands for a value.
"""


class Placeholder(str):
    """The value of a parameter: "{name}" in any format. As a sequence, it is the first
    of two values."""

    def __format__(self, spec: str) -> str:
        return str(self)

    def __iter__(self) -> Iterator[str]:
        yield from (str(self), "…")

    def __getitem__(self, _: SupportsIndex | slice) -> "Placeholder":
        return self


def messages() -> Iterator[tuple[str, str, str]]:
    """Yield (module, name, text) of every message, in the order of the code."""
    for found in pkgutil.iter_modules(bot.messages.__path__):
        module = importlib.import_module(f"bot.messages.{found.name}")
        for name, value in vars(module).items():
            if name.isupper() and isinstance(value, str):
                yield found.name, name, value
            elif name.isupper() and isinstance(value, tuple):
                yield found.name, name, ", ".join(value)
            elif isinstance(value, Plural):
                yield found.name, name, f"1 {value.one}, {{number}} {value.other}"
            elif inspect.isfunction(value) and value.__module__ == module.__name__:
                yield found.name, name, filled(value)


def filled(message: Callable[..., str]) -> str:
    """Return the text of a function of `bot.messages`, with the names of its parameters
    as their values."""
    names = inspect.signature(message).parameters
    return message(**{name: Placeholder(f"{{{name}}}") for name in names})


def page() -> str:
    """Return the page."""
    lines, subject = [HEAD], ""
    for module, name, text in messages():
        if module != subject:
            subject = module
            lines += [f"## {module}", "", "| name | text |", "|---|---|"]
        cell = text.replace("|", "\\|").replace("\n", "<br>")
        lines.append(f"| `{name}` | {cell} |")
    return "\n".join(lines).replace("|\n##", "|\n\n##") + "\n"


if __name__ == "__main__":
    FILE.write_text(page())
