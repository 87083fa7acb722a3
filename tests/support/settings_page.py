"""Writes `docs/settings.md`: every chat setting and every environment variable.

`make docs` runs this module. Settings come from `bot.settings.options`. Variables, with
their defaults and meanings, come from `.env.example`. A test fails if the page differs.
"""

import re
from collections.abc import Iterator
from datetime import date

from bot.domain.scope import ScopeLevel
from bot.errors import Unacceptable
from bot.settings.operator_limits import CEILINGS
from bot.settings.options import DEFAULT_PROMPT, OPTIONS, Option
from bot.settings.parsers import MOST_STOPS, STOP_CHARS
from bot.ui.elements import Kind
from tests.support.locks import ROOT

FILE = ROOT / "docs" / "settings.md"
EXAMPLE = ROOT / ".env.example"

HEAD = f"""\
# Settings

`make docs` writes this page from the code; a test fails where they differ.

## In the chat

Admins change these with a form, a menu or `set NAME VALUE`; the value `inherit` removes
a setting. A setting belongs to a workspace (on Discord a server), a channel or a
thread, and the narrowest one applies. [admin.md](admin.md) explains who may change them
and how budgets add up.

The default of `prompt` is:

> {DEFAULT_PROMPT}

"""

VARIABLES = """
## Environment variables

Read from the environment, or from a file `.env` in the working directory; a variable of
the environment takes precedence. [`.env.example`](../.env.example) is a template.

"""

_SECTION = re.compile(r"# --- (.+?) -+")
_VARIABLE = re.compile(r"([A-Z_]+)=(.*)")

# The description of accepted values in the error of a refused value.
_ACCEPTED = re.compile(r" must be (an? .+?)(?:, such as .+)?, not ")
_REFUSED_BY_ALL = "?"


def accepted(option: Option) -> str:
    """Return a description of the values that `option` accepts."""
    if option.name == "model":
        return "a model, its family such as `opus`, or `auto`"
    if option.name == "stop_sequences":
        return f"up to {MOST_STOPS} lines of up to {STOP_CHARS} characters"
    if option.names_channel:
        return "a channel"
    if option.kind is Kind.CHOICE:
        return ", ".join(each.value for each in option.choices(date.min))
    if option.kind is Kind.PEOPLE:
        return "people, groups, roles"
    if option.kind is Kind.TEXT:
        return f"text of up to {option.most:,} characters"
    try:
        option.read(_REFUSED_BY_ALL, date.min)
    except Unacceptable as error:
        if found := _ACCEPTED.search(error.user_text):
            return found[1]
    raise ValueError(f"what {option.name} accepts is not known")


def meaning(option: Option) -> str:
    """Return what `option` is for and how it applies."""
    notes = [option.about]
    if option.kept:
        notes.append("Running threads keep theirs.")
    if option.each_level:
        notes.append("Every level counts by itself.")
    if option.name in CEILINGS:
        notes.append("The operator's value is the maximum.")
    if option.workspace_only:
        notes.append("Only admins of the workspace set it.")
    if option.needs_creators:
        notes.append("Slack only.")
    return " ".join(notes)


def settings() -> Iterator[str]:
    """Yield the lines of the table of chat settings."""
    yield "| setting | accepts | default | levels | variable | meaning |"
    yield "|---|---|---|---|---|---|"
    for option in OPTIONS:
        default = "see above" if option.versioned else option.show(option.default)
        levels = [level.value for level in ScopeLevel if level in option.levels]
        cells = (
            f"`{option.name}`",
            accepted(option),
            default,
            ", ".join(levels),
            f"`{option.variable}`" if option.for_operators else "",
            meaning(option),
        )
        yield row(*cells)


def environment() -> Iterator[str]:
    """Yield the lines of the tables of variables, as `.env.example` has them."""
    comment: list[str] = []
    used = False
    # The text before the first empty line is about the file itself.
    _, _, text = EXAMPLE.read_text().partition("\n\n")
    for line in filter(None, text.splitlines()):
        if section := _SECTION.fullmatch(line):
            yield from ("", f"### {section[1]}", "")
            yield from ("| variable | default | meaning |", "|---|---|---|")
            comment = []
        elif found := _VARIABLE.fullmatch(line):
            # Variables below one comment share it.
            default = f"`{found[2]}`" if found[2] else ""
            yield row(f"`{found[1]}`", default, " ".join(comment))
            used = True
        else:
            if used:
                comment, used = [], False
            comment.append(line.removeprefix("# "))


def row(*cells: str) -> str:
    """Return one line of a table."""
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def page() -> str:
    """Return the text of the page."""
    chat, env = "\n".join(settings()), "\n".join(environment()).lstrip("\n")
    return f"{HEAD}{chat}\n{VARIABLES}{env}\n"


if __name__ == "__main__":
    FILE.write_text(page())
