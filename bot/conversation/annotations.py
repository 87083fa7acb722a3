"""Adds to an outcome what its answer was made from, and the notes about that. Pure."""

from dataclasses import replace

from bot.conversation.admission import PreparedTurn
from bot.conversation.outcomes import with_note
from bot.domain.turn import Outcome
from bot.messages import thread_summaries
from bot.messages.answers import LEFT_OUT, LEFT_OUT_SOME
from bot.text.numbers import approximate
from bot.ui import formatting


def annotate(outcome: Outcome, prepared: PreparedTurn, hint: str) -> Outcome:
    """Return `outcome` with the provenance of its answer and with all notes.

    `hint` is the note below the first answer of a thread, unless it is quiet; "" for
    none.
    """
    settings = prepared.settings
    outcome = replace(
        outcome,
        prompt=int(settings["prompt"]),
        effort=settings.used("effort"),
        missing=prepared.missing,
        sent=prepared.sent,
        applied=settings.writing,
    )
    if count := prepared.composed.summarised:
        outcome = replace(outcome, summarised=count)
        outcome = with_note(outcome, thread_summaries.told(messages=count))
    if prepared.news:
        outcome = with_note(outcome, prepared.news)
    if prepared.missing is None:
        outcome = with_note(outcome, LEFT_OUT_SOME)
    elif prepared.missing:
        outcome = with_note(outcome, LEFT_OUT.format(approximate(prepared.missing)))
    if settings.on("footer") and outcome.model:
        line = formatting.footer(
            outcome.model, outcome.usage, outcome.cost, bounded=outcome.bounded
        )
        outcome = with_note(outcome, line)
    return with_note(outcome, hint) if hint and not settings.on("quiet") else outcome
