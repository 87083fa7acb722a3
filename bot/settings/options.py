"""The options: each once, with its meaning, its values and where it applies.

To add one, add it to `OPTIONS` and make the core obey it: forms, commands, lists,
export, import and `THREADKEEP_…` follow from its row here.

Rule: nothing is accepted and then ignored. `misfits` reports values that do not fit the
others that apply with them.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from bot.claude.catalog import DEFAULT_MODEL, MODELS, RETIRES_SOON, ModelFacts, find
from bot.domain.person import EVERYONE
from bot.domain.scope import ScopeLevel
from bot.settings import parsers
from bot.settings.parsers import (
    AUTO,
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
    #: The values to choose from, if there are only some.
    choices: Callable[[date], tuple[Choice, ...]] = lambda today: ()
    #: Formats a canonical value for people.
    show: Callable[[str], str] = lambda value: value or "none"
    #: The most characters that a form accepts.
    most: int = 200
    #: Whether a running thread keeps the value it began with (Claude facts 3.1: a
    #: change makes the thread's cache cold and changes the conversation).
    kept: bool = False
    #: Whether it counts at each level, so that a narrower value does not replace it.
    each_level: bool = False
    #: Whether every value is kept as a version.
    versioned: bool = False
    #: Whether only admins of the whole workspace may set it, at any level.
    workspace_only: bool = False
    #: Whether its value names a channel, which is checked when it is set and when it is
    #: used.
    names_channel: bool = False
    #: Whether it applies only where the creator of a channel is known.
    needs_creators: bool = False
    #: Whether the operator may set it in the environment, for every workspace.
    for_operators: bool = True

    @property
    def variable(self) -> str:
        """The name of its environment variable."""
        return f"THREADKEEP_{'SYSTEM_PROMPT' if self.versioned else self.name.upper()}"


def _models(today: date) -> tuple[Choice, ...]:
    """Return the models of a menu: those that everybody may use, `auto` first."""
    offered = [facts for facts in parsers.living(today) if not facts.restricted]
    return (
        Choice(AUTO, "auto", "A cheap or a capable one, by a thread's first message"),
        *(Choice(facts.id, facts.id, _price(facts, today)) for facts in offered),
    )


def _price(facts: ModelFacts, today: date) -> str:
    prices = facts.prices_on(today)
    if prices is None:
        return "price unknown"
    soon = f"; retires {facts.retires}" if facts.retires else ""
    return f"${prices.input:g} in, ${prices.output:g} out a million tokens{soon}"


def sequences(value: str) -> tuple[str, ...]:
    """Return the stop sequences of a canonical value."""
    return tuple(json.loads(value)) if value else ()


def _fixed(*values: str) -> Callable[[date], tuple[Choice, ...]]:
    return lambda today: tuple(Choice(value, value) for value in values)


def _a_switch(
    name: str, label: str, about: str, default: str, **more: object
) -> Option:
    return Option(
        name,
        label,
        about,
        parsers.one_of(ON, OFF),
        default=default,
        kind=Kind.CHOICE,
        choices=_fixed(ON, OFF),
        **more,  # type: ignore[arg-type]
    )


def _dollars(value: str) -> str:
    if not value:
        return "none"
    if not parsers.stored_usd(value):
        return "$0.00: nothing may be spent"
    # Fractions of a cent are shown if they were set.
    _, _, places = value.partition(".")
    return f"${float(value):,.{max(2, len(places))}f}"


OPTIONS: tuple[Option, ...] = (
    Option(
        "prompt",
        "System prompt",
        "What the bot is told to be, and how it is to answer.",
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
        "Model",
        "Which model of Claude answers.",
        parsers.model,
        default=DEFAULT_MODEL,
        kind=Kind.CHOICE,
        levels=_ALL,
        choices=_models,
        kept=True,
    ),
    Option(
        "effort",
        "Effort",
        "How hard the model thinks, where it takes that.",
        parsers.one_of(*EFFORTS),
        # People in a chat wait for the answer: think less than the model's default
        # (Claude facts, section 2).
        default="medium",
        kind=Kind.CHOICE,
        levels=_ALL,
        choices=_fixed(*EFFORTS),
        show=lambda value: value or "the model's own",
        kept=True,
    ),
    Option(
        "max_tokens",
        "Longest answer",
        "The longest answer in tokens, thinking included.",
        parsers.whole_number(1, 128_000, "The longest answer"),
        default="4096",
        show=lambda value: f"{int(value):,} tokens",
    ),
    Option(
        "stop_sequences",
        "Stop sequences",
        "An answer ends before any of these, one on each line.",
        parsers.stops,
        kind=Kind.TEXT,
        most=MOST_STOPS * (STOP_CHARS + 1),
        show=lambda value: (
            ", ".join(f"`{each}`" for each in sequences(value)) or "none"
        ),
    ),
    Option(
        "temperature",
        "Temperature",
        "How freely an older model chooses its words, from 0 to 1.",
        parsers.temperature,
        show=lambda value: value or "the model's own",
    ),
    _a_switch(
        "follow",
        "Follow-ups",
        "Answer in its own threads without being mentioned again.",
        ON,
        levels=_ALL,
    ),
    _a_switch(
        "quiet", "Quiet", "Speak only when mentioned, whatever else is set.", OFF
    ),
    _a_switch(
        "web_search",
        "Web search",
        "Let Claude search the web; each search costs $0.01 besides tokens.",
        OFF,
        kept=True,
    ),
    Option(
        "budget_day",
        "Budget a day",
        "What answers may cost in USD a day (UTC), in all of the place.",
        parsers.usd("A budget"),
        show=_dollars,
        each_level=True,
    ),
    Option(
        "budget_month",
        "Budget a month",
        "What answers may cost in USD a month (UTC), in all of the place.",
        parsers.usd("A budget"),
        show=_dollars,
        each_level=True,
    ),
    Option(
        "person_messages",
        "Questions a person and hour",
        "How many questions one person may ask within an hour.",
        parsers.whole_number(1, 100_000, "The number of questions"),
        each_level=True,
    ),
    Option(
        "person_usd",
        "USD a person and hour",
        "What one person's questions may cost in USD within an hour.",
        parsers.usd("What a person may use"),
        show=_dollars,
        each_level=True,
    ),
    Option(
        "who",
        "Who may ask",
        "Who may talk to the bot: everyone, or named people, groups and roles.",
        parsers.people,
        default=EVERYONE,
        kind=Kind.PEOPLE,
        most=2_000,
        for_operators=False,
    ),
    Option(
        "admins",
        "Admins here",
        "Who may change settings here besides those who run the place.",
        parsers.named_people,
        kind=Kind.PEOPLE,
        most=2_000,
        each_level=True,
        workspace_only=True,
        for_operators=False,
    ),
    _a_switch(
        "creators",
        "Channel creators",
        "Whoever created a channel may change its settings.",
        OFF,
        levels=frozenset({ScopeLevel.WORKSPACE}),
        needs_creators=True,
    ),
    _a_switch(
        "feedback", "Feedback buttons", "Show thumbs up and down under answers.", OFF
    ),
    Option(
        "ping",
        "Ping after a long answer",
        "Whoever waited this many seconds for an answer is called when it is complete.",
        parsers.whole_number(0, 86_400, "The number of seconds"),
        default="60",
        show=lambda value: "never" if value == "0" else f"after {value} seconds",
    ),
    Option(
        "triage_scheme",
        "Triage: scheme",
        "What messages are sorted into: a scheme in YAML (docs/triage.md).",
        parsers.scheme,
        kind=Kind.TEXT,
        most=SCHEME_CHARS,
        show=lambda value: "its own" if value else "category, priority, summary",
        for_operators=False,
    ),
    Option(
        "triagers",
        "Triage: who may sort a channel",
        "Who may have many messages sorted at once, besides admins.",
        parsers.people,
        kind=Kind.PEOPLE,
        most=2_000,
        for_operators=False,
    ),
    _a_switch(
        "auto_triage",
        "Triage: every new message",
        "Sort each new message at the top of the channel.",
        OFF,
        for_operators=False,
    ),
    Option(
        "triage_sign",
        "Triage: how it shows",
        "How people see the priority of a message that was sorted by itself.",
        parsers.one_of("reaction", "label", "both"),
        default="reaction",
        kind=Kind.CHOICE,
        choices=_fixed("reaction", "label", "both"),
        for_operators=False,
    ),
    Option(
        "triage_announce",
        "Triage: where critical is announced",
        "The channel in which messages of the highest priority are announced.",
        parsers.channel,
        names_channel=True,
        for_operators=False,
    ),
    Option(
        "triage_budget",
        "Triage: budget a day",
        "What sorting new messages by itself may cost in USD a day (UTC).",
        parsers.usd("A budget"),
        default="1",
        show=_dollars,
    ),
    _a_switch(
        "bots",
        "Other bots",
        "Answer other bots that mention it, and sort what they say.",
        OFF,
    ),
    _a_switch(
        "footer", "Footer", "Show model, tokens and cost under each answer.", OFF
    ),
)

BY_NAME: Mapping[str, Option] = {option.name: option for option in OPTIONS}


def warning(name: str, value: str, today: date, last: date | None = None) -> str:
    """Return a warning for the person who sets `name` to `value`, or "".

    `last` is a model's last day if the API announced another than the catalog.
    """
    facts = find(value) if name == "model" else None
    last = last or (facts.retires if facts else None)
    if facts is None or last is None or last - today > RETIRES_SOON:
        return ""
    days = (last - today).days
    return (
        f"`{facts.id}` retires on {last}, in {days} "
        f"{'day' if days == 1 else 'days'}: please choose another one before then."
    )


def misfits(values: Mapping[str, str]) -> dict[str, str]:
    """Return the options that the model in `values` does not use as they are, each with
    a sentence that says why."""
    model = values.get("model", "")
    facts = find(model)
    found: dict[str, str] = {}
    if values.get("effort") and facts is not None and not facts.takes_effort:
        found["effort"] = f"`{model}` has no effort."
    if values.get("temperature") and (facts is None or not facts.takes_temperature):
        found["temperature"] = _no_temperature(model)
    longest = int(values.get("max_tokens") or 0)
    if facts is not None and longest > facts.max_output:
        found["max_tokens"] = f"`{model}` writes at most {facts.max_output:,} tokens."
    return found


def _no_temperature(model: str) -> str:
    taking = ", ".join(f"`{f.id}`" for f in MODELS.values() if f.takes_temperature)
    return (
        f"`{model}` takes no temperature: Claude's API of 2026-10-21 refuses it, and "
        f"the version before takes it only with {taking}."
    )
