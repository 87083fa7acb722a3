"""The catalog of commands. Pure.

Each command is defined here once, for all platforms. An adapter registers it as a
command of its platform, and `bot.commands.router` runs it.

Rule: a text is a command only if the whole text is one. "usage of what?" is a question
for Claude.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from bot.commands import typed_text
from bot.domain.scope import ScopeLevel
from bot.errors import Unacceptable
from bot.messages import labels, phrases, summaries
from bot.settings.options import BY_NAME, OPTIONS, Option
from bot.text import message_links
from bot.ui.command_spec import (
    MOST_COMMAND_CHARS,
    CommandSpec,
    Parameter,
    ParameterType,
)
from bot.ui.elements import Choice, Command, Kind

#: Words that delete a setting, so that the value of the enclosing scope applies again.
INHERIT = ("inherit", "default", "none", "-")

# Words that also delete a setting that limits something.
_UNLIMITED = ("off", "unlimited", "remove", "delete", "reset", "unset")

#: The view of `settings` that also lists settings at their defaults.
ALL = "all"

#: The view of `usage` with tokens.
DETAILS = "details"

#: Other names of commands. They are recognised only if a number follows: "limit 5".
SYNONYMS = {"limit": "budget"}

#: The words for the levels of scopes.
LEVELS = {
    "thread": ScopeLevel.THREAD,
    "channel": ScopeLevel.CHANNEL,
    "workspace": ScopeLevel.WORKSPACE,
    "server": ScopeLevel.WORKSPACE,
    "everywhere": ScopeLevel.WORKSPACE,
}


#: Commands that ask Claude, and so cost money.
ASKING = frozenset(
    {
        *("retry", "retry answer", "continue answer", "try run", "try example"),
        *("answer again", "triage", "file read", "file first"),
        *("read answer", "first answer"),
    }
)

#: A typed message with more words than this, or with a word of `PROSE`, is a question
#: and not a search, unless it begins with a quotation mark.
MOST_TYPED_WORDS = 3
QUOTES = ('"', "“", "„", "«", "'")
PROSE = frozenset(
    {
        *("a", "about", "all", "and", "any", "for", "from", "how", "in", "internet"),
        *("it", "me", "my", "of", "on", "online", "our", "that", "the", "this", "to"),
        *("us", "web", "what", "when", "where", "which", "who", "why", "with", "your"),
    }
)


def _today_models() -> tuple[Choice, ...]:
    return BY_NAME["model"].choices(datetime.now(UTC).date())


def _options() -> tuple[Choice, ...]:
    return tuple(
        Choice(option.name, option.label, option.about[:75]) for option in OPTIONS
    )


def _periods() -> tuple[Choice, ...]:
    return (Choice("day", labels.A_DAY), Choice("month", labels.A_MONTH))


def _views() -> tuple[Choice, ...]:
    return (Choice(ALL, labels.ALL_SETTINGS),)


def _usage_views() -> tuple[Choice, ...]:
    return (Choice(DETAILS, labels.DETAILS),)


WHERE = Parameter("where", summaries.WHERE, ParameterType.LEVEL)
_FILE_NAME = Parameter("name", summaries.FILE_NAME)
_VERSION = Parameter("version", summaries.VERSION, ParameterType.NUMBER, required=True)

COMMANDS = (
    CommandSpec("new", summaries.NEW, public=True),
    CommandSpec("stop", summaries.STOP),
    CommandSpec("retry", summaries.RETRY),
    CommandSpec("summary", summaries.SUMMARY, personal=True),
    CommandSpec("file read", summaries.FILE_READ, (_FILE_NAME,)),
    CommandSpec("file first", summaries.FILE_FIRST, (_FILE_NAME,)),
    CommandSpec("file skip", summaries.FILE_SKIP, (_FILE_NAME,)),
    CommandSpec("file attach", summaries.FILE_ATTACH),
    CommandSpec(
        "receipt",
        summaries.RECEIPT,
        (Parameter("answer", summaries.WHICH_ANSWER, ParameterType.ANSWER),),
        personal=True,
    ),
    CommandSpec(
        "settings",
        summaries.SETTINGS,
        (
            Parameter("view", summaries.VIEW, ParameterType.CHOICE, choices=_views),
            WHERE,
        ),
        personal=True,
    ),
    CommandSpec(
        "model",
        summaries.MODEL,
        (
            Parameter(
                "value",
                summaries.MODEL_VALUE,
                ParameterType.CHOICE,
                choices=_today_models,
                open=True,
            ),
            WHERE,
        ),
    ),
    CommandSpec(
        "budget",
        summaries.BUDGET,
        (
            Parameter(
                *("period", summaries.PERIOD, ParameterType.CHOICE),
                choices=_periods,
                synonyms={"daily": "day", "monthly": "month"},
            ),
            Parameter("value", summaries.BUDGET_VALUE, ParameterType.CHOICE, open=True),
            WHERE,
        ),
        personal=True,
    ),
    CommandSpec("prompt", summaries.PROMPT, hidden=True, personal=True),
    CommandSpec("prompt show", summaries.PROMPT_SHOW, (WHERE,), personal=True),
    CommandSpec(
        "prompt set",
        summaries.PROMPT_SET,
        (
            Parameter("file", summaries.PROMPT_FILE, ParameterType.FILE),
            WHERE,
            Parameter("text", summaries.PROMPT_TEXT),
        ),
    ),
    CommandSpec("prompt history", summaries.PROMPT_HISTORY, (WHERE,), personal=True),
    CommandSpec("prompt diff", summaries.PROMPT_DIFF, (_VERSION, WHERE), personal=True),
    CommandSpec("prompt rollback", summaries.PROMPT_ROLLBACK, (_VERSION, WHERE)),
    CommandSpec("prompt try", summaries.PROMPT_TRY, (WHERE,)),
    CommandSpec(
        "usage",
        summaries.USAGE,
        (
            Parameter(
                "view", summaries.USAGE_VIEW, ParameterType.CHOICE, choices=_usage_views
            ),
            WHERE,
        ),
        personal=True,
    ),
    CommandSpec(
        "set",
        summaries.SET,
        (
            Parameter(
                "option",
                summaries.OPTION,
                ParameterType.CHOICE,
                required=True,
                choices=_options,
            ),
            WHERE,
            Parameter("value", summaries.VALUE, ParameterType.TEXT),
        ),
        admin=True,
    ),
    CommandSpec("audit", summaries.AUDIT, (WHERE,), admin=True, personal=True),
    CommandSpec(
        "search",
        summaries.SEARCH,
        (Parameter("words", summaries.WORDS, ParameterType.TEXT),),
        personal=True,
    ),
    CommandSpec("help", summaries.HELP),
    CommandSpec(
        "triage",
        summaries.TRIAGE,
        (
            Parameter("last", summaries.TRIAGE_LAST, ParameterType.NUMBER, named=True),
            Parameter(
                "since",
                summaries.TRIAGE_SINCE,
                ParameterType.CHOICE,
                open=True,
                named=True,
            ),
        ),
        public=True,
        own=True,
    ),
    # These commands are given only by controls.
    CommandSpec("triage correct", summaries.TRIAGE_CORRECT, hidden=True, spoken=False),
    CommandSpec("triage agree", summaries.TRIAGE_AGREE, hidden=True, spoken=False),
    CommandSpec("stop answer", summaries.STOP_ANSWER, hidden=True, spoken=False),
    CommandSpec("retry answer", summaries.RETRY_ANSWER, hidden=True, spoken=False),
    CommandSpec("receipt answer", summaries.RECEIPT_ANSWER, hidden=True, spoken=False),
    CommandSpec("answer again", summaries.ANSWER_AGAIN, hidden=True, spoken=False),
    CommandSpec(
        "continue answer", summaries.CONTINUE_ANSWER, hidden=True, spoken=False
    ),
    CommandSpec("summary answer", summaries.SUMMARY_ANSWER, hidden=True, spoken=False),
    CommandSpec("read answer", summaries.READ_ANSWER, hidden=True, spoken=False),
    CommandSpec("first answer", summaries.FIRST_ANSWER, hidden=True, spoken=False),
    CommandSpec("skip answer", summaries.SKIP_ANSWER, hidden=True, spoken=False),
    CommandSpec("attach answer", summaries.ATTACH_ANSWER, hidden=True, spoken=False),
    CommandSpec(
        "try example", summaries.TRY_EXAMPLE, hidden=True, spoken=False, below=True
    ),
    CommandSpec("edit", summaries.EDIT, hidden=True, spoken=False),
    CommandSpec("edit section", summaries.EDIT_SECTION, hidden=True, spoken=False),
    CommandSpec("save", summaries.SAVE, hidden=True, spoken=False),
    CommandSpec("copy settings", summaries.COPY_SETTINGS, hidden=True, spoken=False),
    CommandSpec("copy save", summaries.COPY_SAVE, hidden=True, spoken=False),
    CommandSpec("unknown", summaries.UNKNOWN, hidden=True, spoken=False),
    CommandSpec("undo", summaries.UNDO, hidden=True, spoken=False),
    CommandSpec("draft save", summaries.DRAFT_SAVE, hidden=True, spoken=False),
    CommandSpec("draft drop", summaries.DRAFT_DROP, hidden=True, spoken=False),
    CommandSpec("draft edit", summaries.DRAFT_EDIT, hidden=True, spoken=False),
    CommandSpec("try run", summaries.TRY_RUN, hidden=True, spoken=False),
)

# What people write between the name of a setting and its value.
_TO = re.compile(r"\A(?:to\s|[=:])\s*+")
# The arguments that are texts, of which every word may count.
_FREE = frozenset(("text", "words"))

_BY_NAME = {verb.name: verb for verb in COMMANDS}


def is_personal(command: Command) -> bool:
    """Return True if the result of `command` depends on the person."""
    spec = _BY_NAME.get(command.verb)
    return spec is not None and spec.personal and "value" not in command.arguments


def is_question(command: Command) -> bool:
    """Return True if `command`, typed as a message, is more likely a question to
    Claude, such as "search the web for flights". A few words alone, or words in quotes,
    are a search."""
    text = command.arguments.get("words", "")
    if command.verb != "search" or text[:1] in QUOTES:
        return False
    given = text.lower().split()
    is_long = len(given) > MOST_TYPED_WORDS or text.endswith("?")
    return is_long or not PROSE.isdisjoint(given)


def parse_command(text: str) -> Command | None:
    """Return the command in `text`; None unless the whole text is one command.

    Quotes and code marks around it, politeness, a full stop and a slash are ignored,
    and so are invisible characters, except within a free text.
    """
    if len(text) > MOST_COMMAND_CHARS:
        return None
    seen = typed_text.without_unseen(text)
    if seen != text:
        command = _parse(typed_text.without_marks(text))
        if command is None or _FREE.isdisjoint(command.arguments):
            text = seen
    text = typed_text.without_marks(text)
    if (command := _parse(text)) is not None:
        return command
    command = _parse(typed_text.bare(text))
    if command is None or not _FREE.isdisjoint(command.arguments):
        return None
    return command


def _parse(text: str) -> Command | None:
    first = text.split(maxsplit=2)[:2]
    if first and (name := SYNONYMS.get(first[0].lower())):
        if not any(map(str.isdecimal, text)):
            return None
        text = f"{name} {text.strip()[len(first[0]) :]}"
        first[0] = name
    for length in (2, 1):
        verb = _BY_NAME.get(" ".join(first[:length]).lower())
        if verb is not None and verb.spoken and len(first) >= length:
            arguments = _assign(verb, text.split()[length:], text)
            if arguments is not None and not _is_prose(arguments):
                return Command(verb.name, arguments)
    return None


def _is_prose(arguments: Mapping[str, str]) -> bool:
    """Return True if the value has too many words for its option to accept."""
    option = BY_NAME.get(arguments.get("option", ""))
    value = arguments.get("value", "")
    if option is None or option.kind not in (Kind.LINE, Kind.CHOICE):
        return False
    return (
        len(value.split()) > 1
        and not clears(option, value)
        and not _reads(option, value)
    )


def clears(option: Option, text: str) -> bool:
    """Return True if `text` removes a setting of `option`: a word that deletes
    settings, or the text that is shown where nothing is set."""
    plain = text.strip().lower()
    if plain in INHERIT or plain == phrases.NOT_SET:
        return True
    if option.versioned:
        return False
    if option.each_level and option.kind is Kind.LINE and plain in _UNLIMITED:
        return True
    return not plain or (not option.default and plain == option.show("").lower())


def _reads(option: Option, text: str) -> bool:
    try:
        option.read(text, datetime.now(UTC).date())
    except Unacceptable:
        return False
    return True


def _assign(verb: CommandSpec, words: list[str], text: str) -> dict[str, str] | None:
    """Return `words` as arguments of `verb`; None if a word fits no parameter, or a
    required parameter has no value."""
    arguments: dict[str, str] = {}
    left = list(words)
    parameters = [p for p in verb.parameters if p.takes is not ParameterType.FILE]
    for parameter in parameters:
        if parameter.named:
            if left and left[0].lower() == parameter.name:
                value = _parse_word(parameter, left[1]) if left[1:] else None
                if value is None:
                    return None
                arguments[parameter.name] = value
                left = left[2:]
        elif parameter.takes is ParameterType.TEXT:
            if left:
                # The text as it was written, including line breaks.
                value = _rest(text, len(left))
                if "option" in arguments:
                    value = _TO.sub("", value)
                arguments[parameter.name] = value
            left = []
        elif left and (value := _parse_word(parameter, left[0])) is not None:
            arguments[parameter.name] = value
            left = left[1:]
        elif parameter.required:
            return None
    return None if left else arguments


def _parse_word(parameter: Parameter, word: str) -> str | None:
    """Return `word` as the value of `parameter`; None if it is not valid."""
    plain = word.strip("`").lower()
    if parameter.name == "option":
        plain = plain.rstrip(":=").strip("`")
    if parameter.takes is ParameterType.NUMBER:
        number = plain.removeprefix("v")
        return number if number.isdecimal() and len(number) < 7 else None
    if parameter.takes is ParameterType.ANSWER:
        return message_links.reference(word)
    if parameter.takes is ParameterType.LEVEL:
        return LEVELS[plain].value if plain in LEVELS else None
    plain = parameter.synonyms.get(plain, plain)
    known = parameter.choices() if parameter.choices else ()
    if plain in {choice.value for choice in known} or plain in INHERIT:
        return plain
    return plain if parameter.open and plain not in LEVELS else None


def _rest(text: str, count: int) -> str:
    """Return the last `count` words of `text`, with the whitespace between them."""
    return text.split(maxsplit=len(text.split()) - count)[-1].strip()
