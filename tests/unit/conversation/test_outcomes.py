"""Every way that an answer can end, and what the thread is told."""

import pytest

from bot.conversation import outcomes
from bot.domain.completion import Report, Usage
from bot.domain.scope import ThreadKey
from bot.domain.turn import Ended, Turn, TurnState
from bot.errors import ModelBusy, ModelCut, PromptTooLong, Unread
from bot.messages import answers

USED = Usage(input=10, output=5)


def turn(text: str, head: str) -> Turn:
    thread = ThreadKey("fake", "w", "c", "t")
    return Turn(1, "k", thread, TurnState.ANSWERING, 1, 0.0, text=text, head=head)


def report(stop_reason: str | None = "end_turn") -> Report:
    return Report("claude-x", "req_1", USED, stop_reason)


def test_a_whole_answer_is_replayed_as_it_is() -> None:
    outcome = outcomes.conclude("Paris.", report())
    assert outcome.ended is Ended.DONE
    assert (outcome.text, outcome.replay, outcome.note) == ("Paris.", "Paris.", "")
    assert (outcome.model, outcome.request_id) == ("claude-x", "req_1")
    assert (outcome.usage, outcome.stop_reason) == (USED, "end_turn")


@pytest.mark.parametrize(
    ("stop_reason", "note"),
    [
        ("max_tokens", answers.TOO_LONG),
        ("model_context_window_exceeded", answers.WINDOW_FULL),
        ("pause_turn", answers.PAUSED),
    ],
)
def test_a_limit_is_said(stop_reason: str, note: str) -> None:
    outcome = outcomes.conclude("Half", report(stop_reason))
    assert outcome.ended is Ended.DONE
    assert outcome.note == f"_{note}_"
    assert outcome.replay == "Half"


@pytest.mark.parametrize(
    ("text", "stop_reason", "stopped", "says_how"),
    [
        ("Half", "max_tokens", False, True),
        ("", "max_tokens", False, False),
        ("Half", "pause_turn", False, True),
        ("Half", "end_turn", False, False),
        ("Half", None, True, False),
    ],
)
def test_without_a_button_the_rest_of_a_cut_answer_is_asked_for(
    text: str, stop_reason: str | None, stopped: bool, says_how: bool
) -> None:
    outcome = outcomes.conclude(text, report(stop_reason), stopped=stopped)
    assert answers.GO_ON not in outcome.note
    assert (answers.GO_ON in outcomes.continuable(outcome).note) == says_how


@pytest.mark.parametrize(
    ("text", "note"), [("", answers.DECLINED), ("I ", answers.DECLINED_MIDWAY)]
)
def test_a_refused_turn_is_not_replayed(text: str, note: str) -> None:
    outcome = outcomes.conclude(text, report("refusal"))
    assert outcome.ended is Ended.REFUSED
    assert (outcome.text, outcome.replay, outcome.note) == (text, "", f"⚠️ _{note}_")


@pytest.mark.parametrize(
    ("stop_reason", "note"),
    [
        ("end_turn", answers.EMPTY),
        ("max_tokens", answers.ALL_THOUGHT),
        ("model_context_window_exceeded", answers.WINDOW_FULL),
        ("pause_turn", answers.PAUSED),
    ],
)
def test_an_empty_answer_is_explained(stop_reason: str, note: str) -> None:
    outcome = outcomes.conclude(" \n", report(stop_reason))
    assert outcome.ended is Ended.FAILED
    assert (outcome.text, outcome.replay, outcome.note) == ("", "", f"⚠️ _{note}_")


def test_a_failure_before_the_first_word_says_what_to_do() -> None:
    outcome = outcomes.conclude("", None, error=ModelBusy("529"))
    assert outcome.ended is Ended.FAILED
    assert outcome.note == f"⚠️ _{ModelBusy.user_text}_"
    assert outcome.reason == "ModelBusy: 529"


def test_a_cut_answer_stays_and_is_marked() -> None:
    outcome = outcomes.conclude("The capital", report(None), error=ModelCut("eof"))
    assert outcome.ended is Ended.INTERRUPTED
    assert outcome.text == "The capital"
    assert outcome.replay == "The capital" + outcomes.UNFINISHED
    assert ModelCut.user_text in outcome.note
    assert answers.GO_ON in outcomes.continuable(outcome).note
    assert outcome.usage == USED


def test_a_stopped_answer_stays_and_is_marked() -> None:
    outcome = outcomes.conclude("The capital", report(None), stopped=True)
    assert outcome.ended is Ended.STOPPED
    assert outcome.replay == "The capital" + outcomes.UNFINISHED
    assert outcome.note == f"_{answers.STOPPED}_"


def test_a_stop_before_the_first_word_leaves_nothing_to_replay() -> None:
    outcome = outcomes.conclude("", None, stopped=True)
    assert (outcome.ended, outcome.replay) == (Ended.STOPPED, "")


def test_a_crash_keeps_what_was_shown() -> None:
    outcome = outcomes.interrupted_outcome(turn("The capital", head="_Not read._"))
    assert outcome.ended is Ended.INTERRUPTED
    assert outcome.replay == "The capital" + outcomes.UNFINISHED
    assert outcome.note == f"⚠️ _{answers.INTERRUPTED}_"
    assert outcome.head == "_Not read._"
    stopped = outcomes.stopped(turn("The capital", head="_Not read._"))
    assert (stopped.ended, stopped.head) == (Ended.STOPPED, "_Not read._")
    assert outcomes.stopped(turn("", head="_Not read._")).head == ""


def test_a_gone_thread_is_a_failure_that_still_counts_its_cost() -> None:
    outcome = outcomes.without_thread(
        outcomes.conclude("The", report(None), stopped=True)
    )
    assert (outcome.ended, outcome.note) == (Ended.FAILED, "")
    assert outcome.usage == USED


def test_people_read_no_technical_words() -> None:
    outcome = outcomes.conclude("", None, error=PromptTooLong("400 secret detail"))
    assert "400" not in outcome.note


def test_what_was_not_read_is_named_above_an_answer_with_its_reason() -> None:
    answer = outcomes.conclude("It is red.", report("end_turn"))
    files = {"a.png": Unread.UNAVAILABLE, "`@everyone`\n# b.pdf": Unread.ENCRYPTED}
    head = outcomes.head(files)
    assert head.startswith("_I haven't read `a.png` (not available) and `'@everyone' #")
    assert head.endswith(" b.pdf` (protected by a password)._")
    note = outcomes.advising(answer, files).note
    assert note.startswith("_`a.png`: Please upload it again._\n_`'@everyone' #")
    assert outcomes.head({}) == ""
    one = {"a.png": Unread.UNAVAILABLE}
    assert outcomes.head(one).endswith("Please upload it again._")
    assert outcomes.advising(answer, one) == answer
    failed = outcomes.conclude("", None, error=ModelBusy("529"))
    assert outcomes.advising(failed, files) == failed
