"""Writes `docs/messages.md`: every sentence of `bot.messages`, by its name.

`make docs` calls it, and a test fails where the page differs from the code.
"""

import importlib
import pkgutil
from collections.abc import Iterator

import bot.messages
from tests.support.locks import ROOT

FILE = ROOT / "docs" / "messages.md"

HEAD = """\
# Messages

The sentences that people read in the chat, from `bot/messages/`. `make docs` writes
this page from the code; a test fails where they differ. Texts composed of values
(settings, budgets, usage) are in `bot/settings/describe.py` and
`bot/budgets/summary.py`; the sentence of each error is in `bot/errors.py`.
"""


def messages() -> Iterator[tuple[str, str, str]]:
    """Yield (module, name, text) of every message, in the order of the code."""
    for module in pkgutil.iter_modules(bot.messages.__path__):
        held = vars(importlib.import_module(f"bot.messages.{module.name}"))
        for name, text in held.items():
            if name.isupper() and isinstance(text, str):
                yield module.name, name, text


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
