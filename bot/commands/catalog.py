"""The commands. Pure.

Each command is defined here once, for all platforms: an adapter registers it as its
platform's command, and `bot.commands.router` carries it out.

Rule: a text is a command only if all of it is one. "usage of what?" is a question, and
gets an answer.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

from bot.domain.scope import ScopeLevel
from bot.settings.options import BY_NAME, OPTIONS
from bot.ui.command_spec import MOST_COMMAND_CHARS, CommandSpec, Parameter, Takes
from bot.ui.elements import Choice, Command, Kind

#: Words that delete a setting, so that the enclosing scope applies again.
INHERIT = ("inherit", "default", "none", "-")

#: The words for the levels of scopes.
LEVELS = {
    "thread": ScopeLevel.THREAD,
    "channel": ScopeLevel.CHANNEL,
    "workspace": ScopeLevel.WORKSPACE,
    "server": ScopeLevel.WORKSPACE,
}


#: Commands that ask Claude, and so cost money.
ASKING = frozenset({"retry", "retry answer", "continue answer", "try run", "triage"})


def _today_models() -> tuple[Choice, ...]:
    return BY_NAME["model"].choices(datetime.now(UTC).date())


def _options() -> tuple[Choice, ...]:
    return tuple(
        Choice(option.name, option.label, option.about[:75]) for option in OPTIONS
    )


def _periods() -> tuple[Choice, ...]:
    return (Choice("day", "a day"), Choice("month", "a month"))


WHERE = Parameter("where", "This thread, this channel, or everywhere", Takes.LEVEL)
_VERSION = Parameter(
    "version", "The number of the version", Takes.NUMBER, required=True
)

COMMANDS = (
    CommandSpec("new", "Start over: ignore everything above.", public=True),
    CommandSpec("stop", "Stop the answer that is being written here."),
    CommandSpec("retry", "Answer the last question again."),
    CommandSpec(
        "settings", "Show the settings here and where each comes from.", (WHERE,)
    ),
    CommandSpec(
        "model",
        "Show or choose the model that answers here.",
        (
            Parameter(
                "value",
                "A model, auto, or inherit",
                Takes.CHOICE,
                choices=_today_models,
                open=True,
            ),
            WHERE,
        ),
    ),
    CommandSpec(
        "budget",
        "Show or set the budget for answers here.",
        (
            Parameter("period", "A day or a month", Takes.CHOICE, choices=_periods),
            Parameter("value", "USD, or none", Takes.CHOICE, open=True),
            WHERE,
        ),
    ),
    CommandSpec("prompt", "Show or change my instructions here.", hidden=True),
    CommandSpec("prompt show", "Show my instructions here.", (WHERE,)),
    CommandSpec(
        "prompt set",
        "Change my instructions here.",
        (
            Parameter("file", "A text file with the prompt", Takes.FILE),
            WHERE,
        ),
    ),
    CommandSpec("prompt history", "List the versions of the prompt.", (WHERE,)),
    CommandSpec(
        "prompt diff", "Compare a version with the current one.", (_VERSION, WHERE)
    ),
    CommandSpec(
        "prompt rollback", "Roll back to an earlier version.", (_VERSION, WHERE)
    ),
    CommandSpec(
        "prompt try", "Try a prompt on one question before saving it.", (WHERE,)
    ),
    CommandSpec("usage", "Show what answers here have cost.", (WHERE,)),
    CommandSpec(
        "set",
        "Change any setting.",
        (
            Parameter(
                "option",
                "What to change",
                Takes.CHOICE,
                required=True,
                choices=_options,
            ),
            WHERE,
            Parameter("value", "What it should be, or inherit", Takes.TEXT),
        ),
        admin=True,
    ),
    CommandSpec("audit", "Show who changed what here, and when.", (WHERE,), admin=True),
    CommandSpec("help", "How to talk to the bot."),
    CommandSpec(
        "triage",
        "Triage this thread, or messages of this channel, as support tickets.",
        (
            Parameter(
                "last", "How many messages of this channel", Takes.NUMBER, named=True
            ),
            Parameter(
                "since",
                "From when on: today, monday, 3d, 2026-11-01",
                Takes.CHOICE,
                open=True,
                named=True,
            ),
        ),
        public=True,
        own=True,
    ),
    # Only controls give these.
    CommandSpec(
        "triage correct", "Correct how it was sorted.", hidden=True, spoken=False
    ),
    CommandSpec("triage agree", "Make it an example.", hidden=True, spoken=False),
    CommandSpec("stop answer", "Stop this answer.", hidden=True, spoken=False),
    CommandSpec("retry answer", "Have it written again.", hidden=True, spoken=False),
    CommandSpec("continue answer", "Go on with it.", hidden=True, spoken=False),
    CommandSpec("edit", "Open the form of one setting.", hidden=True, spoken=False),
    CommandSpec("save", "Save what a form says.", hidden=True, spoken=False),
    CommandSpec("draft save", "Save what was not saved.", hidden=True, spoken=False),
    CommandSpec(
        "draft drop", "Throw away what was not saved.", hidden=True, spoken=False
    ),
    CommandSpec(
        "draft edit", "Write on at what was not saved.", hidden=True, spoken=False
    ),
    CommandSpec(
        "try run", "Answer one question with a draft.", hidden=True, spoken=False
    ),
)

_BY_NAME = {verb.name: verb for verb in COMMANDS}


def parse_command(text: str) -> Command | None:
    """Return the command that `text` is; None unless all of it is one."""
    if len(text) > MOST_COMMAND_CHARS:
        return None
    first = text.split(maxsplit=2)[:2]
    for length in (2, 1):
        verb = _BY_NAME.get(" ".join(first[:length]).lower())
        if verb is not None and verb.spoken and len(first) >= length:
            arguments = _assigned(verb, text.split()[length:], text)
            if arguments is not None and not _is_prose(arguments):
                return Command(verb.name, arguments)
    return None


def _is_prose(arguments: Mapping[str, str]) -> bool:
    """Return True if a value has more words than its option takes."""
    option = BY_NAME.get(arguments.get("option", ""))
    single = option is not None and option.kind in (Kind.LINE, Kind.CHOICE)
    return single and len(arguments.get("value", "").split()) > 1


def _assigned(verb: CommandSpec, words: list[str], text: str) -> dict[str, str] | None:
    """Return `words` as arguments of `verb`; None if one of them fits none."""
    arguments: dict[str, str] = {}
    left = list(words)
    parameters = [p for p in verb.parameters if p.takes is not Takes.FILE]
    for parameter in parameters:
        if parameter.named:
            if left and left[0].lower() == parameter.name:
                value = _taken(parameter, left[1]) if left[1:] else None
                if value is None:
                    return None
                arguments[parameter.name] = value
                left = left[2:]
        elif parameter.takes is Takes.TEXT:
            if left:
                # As it was written, line ends included.
                arguments[parameter.name] = _rest(text, len(left))
            left = []
        elif left and (value := _taken(parameter, left[0])) is not None:
            arguments[parameter.name] = value
            left = left[1:]
        elif parameter.required:
            return None
    return None if left else arguments


def _taken(parameter: Parameter, word: str) -> str | None:
    """Return `word` as the value of `parameter`; None if it is not valid."""
    plain = word.strip("`").lower()
    if parameter.takes is Takes.NUMBER:
        number = plain.removeprefix("v")
        return number if number.isdecimal() and len(number) < 7 else None
    if parameter.takes is Takes.LEVEL:
        return LEVELS[plain].value if plain in LEVELS else None
    known = parameter.choices() if parameter.choices else ()
    if plain in {choice.value for choice in known} or plain in INHERIT:
        return plain
    return plain if parameter.open and plain not in LEVELS else None


def _rest(text: str, count: int) -> str:
    """Return the last `count` words of `text`, with the spaces between them."""
    return text.split(maxsplit=len(text.split()) - count)[-1].strip()
