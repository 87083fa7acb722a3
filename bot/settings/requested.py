"""Applies the options of one request within the settings of its place. Pure.

Rule: a request never exceeds what admins and the operator allow. It may choose among
the models that everybody may choose, shorten the answer, and add to the prompt and to
the stop sequences. Permissions and budgets apply as for every question.
"""

import json
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import date

from bot.claude import catalog
from bot.domain.answer_options import NO_OPTIONS, AnswerOptions
from bot.errors import Unacceptable
from bot.messages import requested as messages
from bot.settings import parsers
from bot.settings.effective import EffectiveSettings, EffectiveValue, mark_unused
from bot.settings.parsers import AUTO


def refusal(policy: EffectiveSettings, options: AnswerOptions, today: date) -> str:
    """Return the reason why `options` are not possible under `policy`, in one sentence;
    "" if they are."""
    try:
        for _ in _values(policy, options, today):
            pass
        if options.system:
            parsers.prompt(options.system, today)
    except Unacceptable as error:
        return error.user_text
    return ""


def possible(
    policy: EffectiveSettings, options: AnswerOptions, today: date
) -> AnswerOptions:
    """Return `options` without those that have become impossible since the request was
    received, because of newer settings."""
    if not options:
        # Nearly all messages have no options.
        return options
    for field in fields(options):
        only = replace(NO_OPTIONS, **{field.name: getattr(options, field.name)})
        if refusal(policy, only, today):
            nothing = getattr(NO_OPTIONS, field.name)
            options = replace(options, **{field.name: nothing})
    return options


def apply(
    policy: EffectiveSettings, options: AnswerOptions, who: str, today: date
) -> EffectiveSettings:
    """Return `policy` with `options`, which must be possible and which `who` asked
    for."""
    values = dict(policy.applied)
    for name, value in _values(policy, options, today):
        values[name] = EffectiveValue(name, value, policy.place, who)
    return replace(policy, applied=mark_unused(values), request=options.system)


def _values(
    policy: EffectiveSettings, options: AnswerOptions, today: date
) -> Iterator[tuple[str, str]]:
    """Yield the canonical values of the settings that `options` replace. Raises
    Unacceptable."""
    if options.model:
        yield "model", _model(policy, options.model, today)
    if options.max_tokens is not None:
        most = int(policy["max_tokens"])
        if options.max_tokens > most:
            raise Unacceptable(messages.too_many_tokens(most=most))
        yield "max_tokens", str(options.max_tokens)
    if options.stop_sequences:
        both = dict.fromkeys((*policy.stop_sequences, *options.stop_sequences))
        text = json.dumps(list(both), ensure_ascii=False)
        value = parsers.stops(text, today)
        if json.loads(value) != list(both):
            raise Unacceptable(messages.STOPS)
        yield "stop_sequences", value


def _model(policy: EffectiveSettings, wanted: str, today: date) -> str:
    model = parsers.model(wanted, today)
    facts = catalog.find(model)
    if model == AUTO or facts is None:
        raise Unacceptable(messages.NO_AUTO)
    if facts.restricted and model != policy["model"]:
        raise Unacceptable(messages.restricted(model=model))
    return model
