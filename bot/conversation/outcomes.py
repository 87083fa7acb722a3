"""The outcomes of turns, as people, operators and the next turn see them. Pure.

Every way in which a model call can end is mapped here, so this file lists every note
that a thread may get.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bot.context.files.unread import advice_lines, unread_line
from bot.conversation.file_prices import PricedFile, price_sentences
from bot.domain.completion import Report
from bot.domain.turn import Ended, Outcome, Turn
from bot.errors import ModelError, ThreadkeepError, Unread
from bot.messages.answers import (
    ALL_THOUGHT,
    DECLINED,
    DECLINED_MIDWAY,
    EMPTY,
    GO_ON,
    INTERRUPTED,
    OVERDUE,
    PAUSED,
    STOPPED,
    TOO_LONG,
    UNWELCOME,
    WINDOW_FULL,
    warning,
)
from bot.messages.settings import UNSURE
from bot.messages.thread_summaries import TOO_LONG as TOO_LONG_HERE
from bot.ui.buttons import goes_on

# Appended to an unfinished answer when later turns replay it, so that Claude does not
# take half a sentence for its own conclusion.
UNFINISHED = "\n\n[This answer was not finished.]"

#: Notes on answers that the API ended at a limit, by stop reason.
LIMITS = {
    "max_tokens": TOO_LONG,
    "model_context_window_exceeded": WINDOW_FULL,
    "pause_turn": PAUSED,
}

_DECLINED = "refusal"

#: Reason of a turn that has failed too often and is not retried.
GIVEN_UP = "given up: it failed again and again"

#: Outcome of a turn whose question was deleted before it was answered.
WITHDRAWN = Outcome(Ended.STOPPED, "", reason="question deleted", cost=0.0)


def conclude(
    text: str,
    report: Report | None,
    *,
    error: ModelError | None = None,
    stopped: bool = False,
) -> Outcome:
    """Return the outcome of a model call with this text and last report."""
    outcome = _ending(text, report.stop_reason if report else None, error, stopped)
    if report is None or (report.calls == () and report.stop_reason is None):
        # No model has begun to answer.
        return outcome
    return replace(
        outcome,
        model=report.model,
        stop_reason=report.stop_reason,
        request_id=report.request_id,
        usage=report.usage,
    )


def ending_note(text: str, stop_reason: str | None) -> str:
    """Return what people are told about an answer with this `text` that Claude ended
    for `stop_reason`; "" if it is whole."""
    has_text = bool(text.strip())
    if stop_reason == _DECLINED:
        return DECLINED_MIDWAY if has_text else DECLINED
    if has_text:
        return LIMITS.get(stop_reason or "", "")
    return {**LIMITS, "max_tokens": ALL_THOUGHT}.get(stop_reason or "", EMPTY)


def interrupted_outcome(turn: Turn) -> Outcome:
    """Return the outcome of `turn`, which a crash interrupted and which is not
    retried."""
    outcome = _unfinished_outcome(Ended.INTERRUPTED, turn.text, INTERRUPTED, "crashed")
    return _with_head(outcome, turn.head)


def stopped(turn: Turn) -> Outcome:
    """Return the outcome of `turn`, which was stopped while it waited."""
    return _with_head(conclude(turn.text, None, stopped=True), turn.head)


def without_thread(outcome: Outcome) -> Outcome:
    """Return `outcome` for a turn whose thread can no longer be written to."""
    return replace(outcome, ended=Ended.FAILED, note="", reason="thread gone")


def withdrawn(outcome: Outcome) -> Outcome:
    """Return `outcome` without its text, for a turn whose question was deleted while it
    was being answered."""
    return replace(
        outcome, text="", head="", replay="", note="", calls="", reason=WITHDRAWN.reason
    )


def over_budget(why: str) -> Outcome:
    """Return the outcome of a turn that exceeds a budget, for the reason `why`.

    Later turns still read the question.
    """
    return replace(_failure(why, "over budget"), cost=0.0)


def overlong() -> Outcome:
    """Return the outcome of a turn in a thread that has become too long to continue."""
    return replace(_failure(TOO_LONG_HERE, "thread too long"), cost=0.0)


def overdue() -> Outcome:
    """Return the outcome of a turn that waited too long.

    Later turns still read the question.
    """
    return replace(_failure(OVERDUE, "waited too long"), cost=0.0)


def unwelcome(unsure: bool, why: str = UNWELCOME) -> Outcome:
    """Return the outcome of a turn whose asker is not permitted, for the reason `why`.

    `unsure` says that the permission could not be checked.
    """
    if unsure:
        return replace(_failure(UNSURE, "person unknown"), cost=0.0)
    note = warning(why)
    return Outcome(Ended.REFUSED, "", note=note, reason="not allowed", cost=0.0)


def head(files: Mapping[str, Unread]) -> str:
    """Return the line above an answer that names unread files and the reasons.

    `files` are the files that were not read for the answer; "" if there are none.
    """
    return _italic(unread_line(files.items()))


def advising(outcome: Outcome, files: Mapping[str, Unread]) -> Outcome:
    """Return `outcome` with a note that says what to do about unread files.

    `files` are the files that were not read for the answer. Nothing is added for a file
    if the answer's head gives the advice, or if there is no answer.
    """
    if not outcome.text.strip():
        return outcome
    for line in advice_lines(files.items()):
        outcome = with_note(outcome, line)
    return outcome


def asking_prices(
    outcome: Outcome, files: Sequence[PricedFile], *, has_buttons: bool
) -> Outcome:
    """Return `outcome` with a note on the price of each of `files` and how to decide.

    Without an answer or files, `outcome` is unchanged.
    """
    if not files or not outcome.text.strip():
        return outcome
    for sentence in price_sentences(files, has_buttons=has_buttons):
        outcome = with_note(outcome, sentence)
    return replace(outcome, waiting=tuple(each.file.pages for each in files))


def continuable(outcome: Outcome) -> Outcome:
    """Return `outcome` with a note on how to get the rest of a cut answer.

    This is for platforms without a button for that.
    """
    if outcome.ended is Ended.STOPPED:
        # A person who stopped the answer does not want the rest.
        return outcome
    has_text = bool(outcome.text.strip())
    is_cut = goes_on(outcome.ended, outcome.stop_reason, has_text=has_text)
    return with_note(outcome, GO_ON) if is_cut else outcome


def with_note(outcome: Outcome, hint: str) -> Outcome:
    """Return `outcome` with `hint` added to its note."""
    note = "\n".join(filter(None, [outcome.note, _italic(hint)]))
    return replace(outcome, note=note)


def _with_head(outcome: Outcome, head: str) -> Outcome:
    return replace(outcome, head=head if outcome.text.strip() else "")


def _ending(
    text: str, stop_reason: str | None, error: ModelError | None, stopped: bool
) -> Outcome:
    has_text = bool(text.strip())
    if stopped:
        return _unfinished_outcome(Ended.STOPPED, text, STOPPED, "stopped")
    if error is not None:
        if not has_text:
            return _failure(error.user_text, _reason(error))
        return _unfinished_outcome(
            Ended.INTERRUPTED, text, error.user_text, _reason(error)
        )
    note = ending_note(text, stop_reason)
    if stop_reason == _DECLINED:
        # Later turns read neither side of a refused turn: they would be refused too.
        return Outcome(Ended.REFUSED, text, note=warning(note), reason="refusal")
    if not has_text:
        return _failure(note, f"no text, stop_reason={stop_reason}")
    return Outcome(Ended.DONE, text, replay=text, note=_italic(note))


def _failure(note: str, reason: str) -> Outcome:
    return Outcome(Ended.FAILED, "", note=warning(note), reason=reason)


def _unfinished_outcome(ended: Ended, text: str, note: str, reason: str) -> Outcome:
    replay = text + UNFINISHED if text.strip() else ""
    mark = _italic if ended is Ended.STOPPED else warning
    return Outcome(ended, text, replay=replay, note=mark(note), reason=reason)


def _italic(note: str) -> str:
    return f"_{note}_" if note else ""


def _reason(error: ThreadkeepError) -> str:
    return f"{type(error).__name__}: {error}"
