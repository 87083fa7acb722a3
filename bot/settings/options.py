"""The options, each defined once with its meaning, its values and its scopes.

To add an option, add it to `OPTIONS` and implement it in the core. Forms, commands,
lists, export, import and `THREADKEEP_…` use its row here.

Rule: no value is accepted and then ignored. `bot.settings.misfits` reports values that
conflict with the other values that apply.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from bot.claude.catalog import DEFAULT_MODEL
from bot.domain.person import EVERYONE
from bot.domain.scope import ScopeLevel
from bot.messages import options as messages
from bot.messages import phrases
from bot.messages import values as value_messages
from bot.schemes.default import DEFAULT
from bot.settings import (
    amounts,
    attaching,
    follow,
    hosts,
    long_threads,
    mcp_choices,
    parsers,
)
from bot.settings.model_choices import model_choices
from bot.settings.parsers import (
    MOST_STOPS,
    PROMPT_CHARS,
    SCHEME_CHARS,
    STOP_CHARS,
    Reader,
)
from bot.ui.elements import Choice, Kind

DEFAULT_PROMPT = (
    "You are Threadkeep, an assistant in a team's chat. Be accurate, kind and "
    "brief: answer first, explain after, and say so when you do not know."
)

ON, OFF = "on", "off"
EFFORTS = ("low", "medium", "high", "xhigh", "max")

_WIDE = frozenset({ScopeLevel.WORKSPACE, ScopeLevel.CHANNEL})
_ALL = _WIDE | {ScopeLevel.THREAD}


@dataclass(frozen=True, slots=True)
class Option:
    """One option."""

    name: str
    #: At most 45 characters.
    label: str
    #: One sentence, of at most 100 characters.
    about: str
    read: Reader
    #: Canonical; "" for none.
    default: str = ""
    kind: Kind = Kind.LINE
    levels: frozenset[ScopeLevel] = _WIDE
    #: The values to choose from, if they are limited.
    choices: Callable[[date], tuple[Choice, ...]] = lambda today: ()
    #: Formats a canonical value for people.
    show: Callable[[str], str] = lambda value: value or phrases.NONE
    #: The most characters that a form accepts.
    most: int = 200
    #: Whether a running thread keeps the value it began with (Claude facts 3.1: a
    #: change makes the thread's cache cold and changes the conversation).
    kept: bool = False
    #: Whether its values apply at each level, so that a narrower value does not replace
    #: a wider one.
    each_level: bool = False
    #: The initial text of its form if it is not set.
    template: str = ""
    #: Whether every value is kept as a version.
    versioned: bool = False
    #: Whether only admins of the whole workspace may set it, at any level.
    workspace_only: bool = False
    #: Whether its value names a channel, which is checked when the value is set and
    #: when it is used.
    names_channel: bool = False
    #: Whether it applies only where the creator of a channel is known.
    needs_creators: bool = False
    #: Whether the operator may set it in the environment, for every workspace.
    for_operators: bool = True

    @property
    def variable(self) -> str:
        """The name of the option's environment variable."""
        return f"THREADKEEP_{'SYSTEM_PROMPT' if self.versioned else self.name.upper()}"


def sequences(value: str) -> tuple[str, ...]:
    """Return the stop sequences of a canonical value."""
    return tuple(json.loads(value)) if value else ()


def _fixed_choices(*values: str) -> Callable[[date], tuple[Choice, ...]]:
    return lambda today: tuple(Choice(value, value) for value in values)


def _a_switch(
    name: str, label: str, about: str, default: str, **more: object
) -> Option:
    return Option(
        name,
        label,
        about,
        parsers.switch(ON, OFF),
        default=default,
        kind=Kind.CHOICE,
        choices=_fixed_choices(ON, OFF),
        **more,  # type: ignore[arg-type]
    )


OPTIONS: tuple[Option, ...] = (
    Option(
        "prompt",
        messages.PROMPT,
        messages.PROMPT_ABOUT,
        parsers.prompt,
        default=DEFAULT_PROMPT,
        kind=Kind.TEXT,
        levels=_ALL,
        most=PROMPT_CHARS,
        kept=True,
        versioned=True,
    ),
    Option(
        "model",
        messages.MODEL,
        messages.MODEL_ABOUT,
        parsers.model,
        default=DEFAULT_MODEL,
        kind=Kind.CHOICE,
        levels=_ALL,
        choices=model_choices,
        kept=True,
    ),
    Option(
        "effort",
        messages.EFFORT,
        messages.EFFORT_ABOUT,
        parsers.one_of(*EFFORTS),
        # People in a chat wait for the answer, so the default is below that of the
        # model (Claude facts, section 2).
        default="medium",
        kind=Kind.CHOICE,
        levels=_ALL,
        choices=_fixed_choices(*EFFORTS),
        show=lambda value: value or phrases.THE_MODEL_S_OWN,
        kept=True,
    ),
    Option(
        "max_tokens",
        messages.MAX_TOKENS,
        messages.MAX_TOKENS_ABOUT,
        parsers.whole_number(1, 128_000, value_messages.ANSWER_LIMIT),
        default="4096",
        show=lambda value: phrases.tokens(count=int(value)),
    ),
    Option(
        "stop_sequences",
        messages.STOP_SEQUENCES,
        messages.STOP_SEQUENCES_ABOUT,
        parsers.stops,
        kind=Kind.TEXT,
        most=MOST_STOPS * (STOP_CHARS + 1),
        show=lambda value: (
            ", ".join(f"`{each}`" for each in sequences(value)) or phrases.NONE
        ),
    ),
    Option(
        "temperature",
        messages.TEMPERATURE,
        messages.TEMPERATURE_ABOUT,
        parsers.temperature,
        show=lambda value: value or phrases.THE_MODEL_S_OWN,
    ),
    Option(
        "follow",
        messages.FOLLOW,
        messages.FOLLOW_ABOUT,
        follow.read,
        default=follow.SMART,
        kind=Kind.CHOICE,
        levels=_ALL,
        choices=follow.choices,
        show=follow.format_value,
    ),
    _a_switch("quiet", messages.QUIET, messages.QUIET_ABOUT, OFF),
    _a_switch(
        "web_search", messages.WEB_SEARCH, messages.WEB_SEARCH_ABOUT, OFF, kept=True
    ),
    _a_switch(
        "web_fetch", messages.WEB_FETCH, messages.WEB_FETCH_ABOUT, OFF, kept=True
    ),
    # Not kept by running threads: a shorter list must apply at once.
    Option(
        "web_fetch_domains",
        messages.WEB_FETCH_DOMAINS,
        messages.WEB_FETCH_DOMAINS_ABOUT,
        hosts.read,
        show=hosts.format_value,
        most=2_000,
    ),
    Option(
        mcp_choices.OPTION,
        messages.MCP,
        messages.MCP_ABOUT,
        mcp_choices.read,
        default=OFF,
        kind=Kind.CHOICE,
        choices=_fixed_choices(OFF),
        show=mcp_choices.format_value,
        most=700,
        kept=True,
    ),
    Option(
        "long_threads",
        messages.LONG_THREADS,
        messages.LONG_THREADS_ABOUT,
        long_threads.read,
        default=long_threads.SUMMARISE,
        kind=Kind.CHOICE,
        levels=_ALL,
        choices=long_threads.choices,
        show=long_threads.format_value,
    ),
    Option(
        "summary_at",
        messages.SUMMARY_AT,
        messages.SUMMARY_AT_ABOUT,
        parsers.whole_number(
            long_threads.LEAST_MARK, long_threads.MOST_MARK, value_messages.MARK
        ),
        default=str(long_threads.MARK),
        levels=_ALL,
        show=lambda value: phrases.tokens(count=int(value)),
    ),
    Option(
        "budget_day",
        messages.BUDGET_DAY,
        messages.BUDGET_DAY_ABOUT,
        parsers.usd(value_messages.A_BUDGET),
        show=amounts.dollars,
        each_level=True,
    ),
    Option(
        "budget_month",
        messages.BUDGET_MONTH,
        messages.BUDGET_MONTH_ABOUT,
        parsers.usd(value_messages.A_BUDGET),
        show=amounts.dollars,
        each_level=True,
    ),
    Option(
        "person_messages",
        messages.PERSON_MESSAGES,
        messages.PERSON_MESSAGES_ABOUT,
        parsers.whole_number(1, 100_000, value_messages.QUESTIONS),
        each_level=True,
    ),
    Option(
        "person_usd",
        messages.PERSON_USD,
        messages.PERSON_USD_ABOUT,
        parsers.usd(value_messages.SPEND),
        show=amounts.dollars,
        each_level=True,
    ),
    Option(
        "file_price",
        messages.FILE_PRICE,
        messages.FILE_PRICE_ABOUT,
        parsers.price(value_messages.A_PRICE),
        default="0.25",
        levels=_ALL,
        show=amounts.price,
    ),
    Option(
        "attach_lines",
        messages.ATTACH_LINES,
        messages.ATTACH_LINES_ABOUT,
        attaching.read,
        default=attaching.LINES,
        levels=_ALL,
        show=attaching.format_value,
    ),
    Option(
        "who",
        messages.WHO,
        messages.WHO_ABOUT,
        parsers.people,
        default=EVERYONE,
        kind=Kind.PEOPLE,
        most=2_000,
        for_operators=False,
    ),
    Option(
        "admins",
        messages.ADMINS,
        messages.ADMINS_ABOUT,
        parsers.named_people,
        kind=Kind.PEOPLE,
        most=2_000,
        each_level=True,
        workspace_only=True,
        for_operators=False,
    ),
    _a_switch(
        "creators",
        messages.CREATORS,
        messages.CREATORS_ABOUT,
        OFF,
        levels=frozenset({ScopeLevel.WORKSPACE}),
        needs_creators=True,
    ),
    _a_switch("feedback", messages.FEEDBACK, messages.FEEDBACK_ABOUT, OFF),
    Option(
        "ping",
        messages.PING,
        messages.PING_ABOUT,
        parsers.with_former_names(
            parsers.whole_number(0, 86_400, value_messages.SECONDS),
            {phrases.NEVER: "0"},
        ),
        default="60",
        show=lambda value: (
            phrases.NEVER if value == "0" else phrases.seconds(count=int(value))
        ),
    ),
    Option(
        "triage_scheme",
        messages.TRIAGE_SCHEME,
        messages.TRIAGE_SCHEME_ABOUT,
        parsers.scheme,
        kind=Kind.TEXT,
        most=SCHEME_CHARS,
        show=lambda value: phrases.ITS_OWN if value else messages.DEFAULT_SCHEME,
        template=DEFAULT,
        for_operators=False,
    ),
    Option(
        "triagers",
        messages.TRIAGERS,
        messages.TRIAGERS_ABOUT,
        parsers.people,
        kind=Kind.PEOPLE,
        most=2_000,
        for_operators=False,
    ),
    _a_switch(
        "auto_triage",
        messages.AUTO_TRIAGE,
        messages.AUTO_TRIAGE_ABOUT,
        OFF,
        for_operators=False,
    ),
    Option(
        "triage_sign",
        messages.TRIAGE_SIGN,
        messages.TRIAGE_SIGN_ABOUT,
        parsers.one_of("reaction", "label", "both"),
        default="reaction",
        kind=Kind.CHOICE,
        choices=_fixed_choices("reaction", "label", "both"),
        for_operators=False,
    ),
    Option(
        "triage_announce",
        messages.TRIAGE_ANNOUNCE,
        messages.TRIAGE_ANNOUNCE_ABOUT,
        parsers.channel,
        names_channel=True,
        for_operators=False,
    ),
    Option(
        "triage_budget",
        messages.TRIAGE_BUDGET,
        messages.TRIAGE_BUDGET_ABOUT,
        parsers.usd(value_messages.A_BUDGET),
        default="1",
        show=amounts.dollars,
    ),
    _a_switch("bots", messages.BOTS, messages.BOTS_ABOUT, OFF),
    _a_switch("footer", messages.FOOTER, messages.FOOTER_ABOUT, OFF),
)

BY_NAME: Mapping[str, Option] = {option.name: option for option in OPTIONS}
