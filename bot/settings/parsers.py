"""Parses the values that people write for options into their canonical form.

Rule: a value that is not valid raises Unacceptable with one sentence that says what is.
A canonical value parses to itself, so stored values may be parsed again.
"""

import difflib
import json
import math
import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import ROUND_DOWN, Decimal, InvalidOperation
from importlib import import_module

from bot.claude.catalog import MODELS, ModelFacts, named
from bot.domain.person import EVERYONE
from bot.errors import ConfigError, Unacceptable
from bot.messages import phrases, plurals
from bot.messages import values as messages
from bot.text.characters import replace_lone_surrogates
from bot.text.numbers import plain_number, western
from bot.text.redaction import quote

PROMPT_CHARS = 20_000
SCHEME_CHARS = 20_000

#: The value of `model` that chooses the model by each thread's first message.
AUTO = "auto"

# A budget above this is probably a typing error; an amount below this would be rounded
# to 0.
MOST_USD = 100_000.0
LEAST_USD = 0.0001
_HUNDREDTH_OF_CENT, _CENT = Decimal("0.0001"), Decimal("0.01")

# The API accepts more, but nobody needs more here.
MOST_STOPS, STOP_CHARS = 8, 100

# The forms of values.
_WHOLE_NUMBER = re.compile(r"[0-9]{1,9}")
_ZERO = re.compile(r"0++(?:\.0*+)?")
_AMOUNT = re.compile(r"-?[0-9.]++(e[0-9]++)?")
_DOLLARS = re.compile(r"\A(?:usd|us\$|\$)\s*+|\s*+(?:usd|us\$|\$|dollars?)\Z", re.I)
_TEMPERATURE = re.compile(r"[01](\.[0-9]{1,3})?|\.[0-9]{1,3}")
_NAMED = re.compile(r"(user|group):[A-Za-z0-9-]++")

# The longest value, except prompts and schemes, in characters: about 1,000 people by
# mention. It is checked before a text is parsed.
MOST_CHARS = 20_000

# Characters that are not allowed in a text: control characters except tab and line
# feed.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")

# Stop sequences as they are shown.
_SHOWN_STOPS = re.compile(r"`[^`\n]++`(?:, `[^`\n]++`)*+")

# What people write around a value, or after it at the end of a sentence.
_AROUND = " \t\r\n`*\"'\u2018\u2019\u201c\u201d\u201e\u00ab\u00bb\u300c\u300d"
_AFTERWARDS = ".,;!\u3002"

# An amount whose dot may separate thousands. No stored amount ends with 0 after a dot.
_UNCLEAR = re.compile(r"([1-9][0-9]{0,2})\.([0-9]{2}0)")

# A number with dots between groups of digits, which can be no fraction of a whole one.
_DOTTED = re.compile(r"[1-9][0-9]{0,2}(?:\.[0-9]{3})++")

# Words for everybody.
_EVERYBODY = (EVERYONE, "everybody", "anyone", "anybody", "all")

# The words around numbers when they are shown.
_AFTER = phrases.seconds(count=0).partition("0")[0]
_UNITS = tuple(
    f" {noun}"
    for each in (plurals.SECONDS, plurals.TOKENS, plurals.LINES)
    for noun in (each.other, each.one)
)

# How many models a refusal names, and how similar a name must be to the written one,
# from 0 to 1: "sonet" matches "sonnet", and "gpt-5" matches nothing.
MOST_NAMED, SIMILAR = 4, 0.75

# A channel as adapters write a mention of it; an id alone, as people copy it from Slack
# and Discord (platform facts A5.5, B6); or the URL of a channel.
_CHANNEL = re.compile(
    r"#?channel:([A-Za-z0-9]{1,32})"
    r"|([CDG][A-Z0-9]{6,31}|[0-9]{15,20})"
    r"|https://[a-z0-9.-]{1,80}/(?:archives|channels/[0-9]{1,20})/([A-Z0-9]{1,32})/?"
)

#: Parses a value of an option on a day. Raises Unacceptable.
Reader = Callable[[str, date], str]


def normalise(text: str) -> str:
    """Return `text` with normalised line breaks, without surrounding whitespace.

    Raises Unacceptable if it is empty or contains control characters.
    """
    text = (
        replace_lone_surrogates(text).replace("\r\n", "\n").replace("\r", "\n").strip()
    )
    if found := _CONTROL.search(text):
        raise Unacceptable(messages.control_character(code=ord(found[0])))
    if not text:
        raise Unacceptable(messages.WRITE_SOMETHING)
    return text


def check_length(text: str) -> str:
    """Return `text` if it is not longer than any value may be. Raises Unacceptable."""
    if len(text) > MOST_CHARS:
        raise Unacceptable(messages.too_long(length=len(text), most=MOST_CHARS))
    return replace_lone_surrogates(text)


def _bare(text: str) -> str:
    """Return `text` without the quotes or marks around it, and without the punctuation
    after it. Raises Unacceptable if it is longer than any value may be."""
    return check_length(text).strip(_AROUND).rstrip(_AFTERWARDS).strip(_AROUND)


def prompt(text: str, today: date = date.min) -> str:
    text = normalise(text)
    if len(text) > PROMPT_CHARS:
        raise Unacceptable(
            messages.prompt_too_long(length=len(text), most=PROMPT_CHARS)
        )
    return text


def model(text: str, today: date) -> str:
    wanted = _bare(text).lower()
    if wanted == AUTO:
        return AUTO
    facts = named(wanted)
    if facts is None:
        near = _nearest_model(wanted, today)
        raise Unacceptable(
            messages.did_you_mean_model(written=quote(text), near=near)
            if near
            else messages.no_such_model(
                written=quote(text), models=_list(today), auto=AUTO
            )
        )
    if facts.retires is not None and facts.retires <= today:
        raise Unacceptable(
            messages.model_retired(
                model=facts.id, day=facts.retires, models=_list(today)
            )
        )
    return facts.id


def _list(today: date) -> str:
    """List the current models, which are first in the catalog."""
    offered = [facts for facts in living(today) if not facts.restricted]
    return ", ".join(f"`{facts.id}`" for facts in offered[:MOST_NAMED])


def _nearest_model(wanted: str, today: date) -> str:
    """Return the model name that `wanted` may be a misspelling of, or ""."""
    offered = [facts.id for facts in living(today) if not facts.restricted]
    families = dict.fromkeys(id.split("-")[1] for id in offered)
    names = [AUTO, *families, *offered]
    return next(iter(difflib.get_close_matches(wanted[:50], names, 1, SIMILAR)), "")


def living(today: date) -> list[ModelFacts]:
    return [f for f in MODELS.values() if f.retires is None or f.retires > today]


def whole_number(least: int, most: int, what: str) -> Reader:
    def read(text: str, today: date) -> str:
        # Accepts the number as it is shown: "after 60 seconds", "4,096 tokens", "60
        # lines".
        plain = western(_bare(text)).removeprefix(_AFTER)
        for unit in _UNITS:
            plain = plain.removesuffix(unit)
        plain = plain_number(plain)
        if _DOTTED.fullmatch(plain):
            plain = plain.replace(".", "")
        if not _WHOLE_NUMBER.fullmatch(plain) or not least <= int(plain) <= most:
            raise Unacceptable(
                messages.whole_number(
                    what=what, least=least, most=most, written=quote(text)
                )
            )
        return str(int(plain))

    return read


def usd(what: str) -> Reader:
    """Return a parser of an amount in USD. The amount is rounded down, to hundredths of
    a cent below 1,000 and to cents above, and then checked."""

    def read(text: str, today: date) -> str:
        plain = _DOLLARS.sub("", western(_bare(text)))
        if found := _UNCLEAR.fullmatch(plain):
            raise Unacceptable(
                messages.unclear_amount(
                    written=quote(text),
                    one=f"{float(plain):g}",
                    other=f"{found[1]}{found[2]}",
                )
            )
        value = _round_amount(plain_number(plain))
        if value is None or not LEAST_USD <= float(value) <= MOST_USD:
            raise Unacceptable(
                messages.amount_in_usd(
                    what=what, least=LEAST_USD, most=MOST_USD, written=quote(text)
                )
            )
        return value

    return read


def price(what: str) -> Reader:
    """Return a parser of an amount in USD, which may be 0, or "never"."""
    amount = usd(what)

    def read(text: str, today: date) -> str:
        plain = _bare(text).lower()
        if plain == phrases.NEVER:
            return plain
        if _ZERO.fullmatch(plain_number(_DOLLARS.sub("", western(plain)))):
            return "0"
        return amount(text, today)

    return read


def _round_amount(plain: str) -> str | None:
    """Return the amount in `plain` in its stored form; None if it is not an amount."""
    if not _AMOUNT.fullmatch(plain):
        return None
    try:
        value = Decimal(plain)
    except InvalidOperation:
        return None
    if value > MOST_USD:
        return None
    if value < 1000:
        places = f"{value.quantize(_HUNDREDTH_OF_CENT, ROUND_DOWN):f}"
        return places.rstrip("0").rstrip(".") or "0"
    return f"{value.quantize(_CENT, ROUND_DOWN):f}"


def stored_usd(value: str) -> float:
    """Return the amount of a stored value. An invalid value counts as 0, which allows
    no spending: an unreadable budget must not mean no budget."""
    try:
        amount = float(value)
    except ValueError:
        return 0.0
    return amount if math.isfinite(amount) and amount >= 0 else 0.0


def one_of(*values: str) -> Reader:
    def read(text: str, today: date) -> str:
        value = _bare(text).lower()
        if value not in values:
            known = ", ".join(f"`{each}`" for each in values)
            raise Unacceptable(messages.one_of(values=known, written=quote(text)))
        return value

    return read


def with_former_names(reader: Reader, names: Mapping[str, str]) -> Reader:
    """Return a parser like `reader` that also accepts the former `names` of its
    values."""

    def read(text: str, today: date) -> str:
        known = names.get(_bare(text).lower())
        return known or reader(text, today)

    return read


def switch(on: str, off: str) -> Reader:
    """Return a parser of `on` and `off`, and of other words for them."""
    words = {
        **dict.fromkeys(("true", "yes", "enable", "enabled", "1"), on),
        **dict.fromkeys(("false", "no", "disable", "disabled", "0"), off),
    }
    return with_former_names(one_of(on, off), words)


def temperature(text: str, today: date) -> str:
    plain = plain_number(western(_bare(text)))
    if not _TEMPERATURE.fullmatch(plain) or float(plain) > 1:
        raise Unacceptable(messages.temperature(written=quote(text)))
    return f"{float(plain):g}"


def stops(text: str, today: date) -> str:
    text = check_length(text)
    try:
        written = json.loads(text)
    except (ValueError, RecursionError):
        # A text of a thousand brackets may be meant as a stop sequence, not as JSON.
        written = None
    if _SHOWN_STOPS.fullmatch(text):
        written = [each.strip("`") for each in text.split("`, `")]
    if isinstance(written, list) and all(isinstance(each, str) for each in written):
        text = "\n".join(written)
    lines = [
        line for line in replace_lone_surrogates(text).splitlines() if line.strip()
    ]
    if not lines or any(_CONTROL.search(line) for line in lines):
        raise Unacceptable(messages.STOPS_BY_LINE)
    if len(lines) > MOST_STOPS or max(map(len, lines)) > STOP_CHARS:
        raise Unacceptable(messages.too_many_stops(most=MOST_STOPS, length=STOP_CHARS))
    return json.dumps(lines, ensure_ascii=False)


def people(text: str, today: date) -> str:
    words = _bare(text).replace(",", " ").split()
    if len(words) == 1 and words[0].lower() in _EVERYBODY:
        return EVERYONE
    return named_people(text, today)


def named_people(text: str, today: date) -> str:
    words = _bare(text).replace(",", " ").split()
    wrong = [word for word in words if not _NAMED.fullmatch(word)]
    if wrong or not words:
        raise Unacceptable(
            messages.not_a_person(written=quote(wrong[0]))
            if wrong
            else messages.NAME_PEOPLE
        )
    return " ".join(dict.fromkeys(words))


def scheme(text: str, today: date) -> str:
    text = normalise(text)
    if len(text) > SCHEME_CHARS:
        raise Unacceptable(
            messages.scheme_too_long(length=len(text), most=SCHEME_CHARS)
        )
    # Imported here: only schemes need a YAML parser.
    schemes = import_module("bot.schemes.scheme")
    try:
        schemes.read(text, messages.THIS_SCHEME)
    except ConfigError as error:
        raise Unacceptable(str(error)) from None
    return text


def channel(text: str, today: date) -> str:
    """Return the channel that `text` names, as "channel:ID". The platform decides
    whether the channel exists. A name alone is not accepted."""
    found = _CHANNEL.fullmatch(_bare(text))
    if found is None:
        raise Unacceptable(messages.not_a_channel(written=quote(text)))
    return f"channel:{found[1] or found[2] or found[3]}"
