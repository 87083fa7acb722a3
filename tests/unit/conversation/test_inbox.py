"""The whole policy of the inbox for a message, as a table."""

import pytest

from bot.conversation.addressing import judge
from bot.domain.message import Disposition, Message, ThreadFacts
from bot.domain.scope import ThreadKey

OURS, THEIRS = ThreadFacts(follows=True), ThreadFacts(follows=False)
IGNORE, KEEP, ANSWER = Disposition.IGNORE, Disposition.KEEP, Disposition.ANSWER


@pytest.mark.parametrize(
    ("addressed", "thread", "verdict"),
    [
        (True, None, ANSWER),
        (True, OURS, ANSWER),
        (True, THEIRS, ANSWER),
        (False, None, IGNORE),
        (False, OURS, ANSWER),
        (False, THEIRS, KEEP),
    ],
)
def test_people(
    addressed: bool, thread: ThreadFacts | None, verdict: Disposition
) -> None:
    assert judge(heard(addressed=addressed), thread).disposition is verdict


@pytest.mark.parametrize("addressed", [True, False])
@pytest.mark.parametrize("thread", [None, OURS, THEIRS])
def test_itself_it_never_answers(addressed: bool, thread: ThreadFacts | None) -> None:
    assert judge(heard(addressed=addressed, echo=True), thread).disposition is IGNORE


@pytest.mark.parametrize("addressed", [True, False])
@pytest.mark.parametrize(
    ("thread", "verdict"), [(None, IGNORE), (OURS, KEEP), (THEIRS, KEEP)]
)
def test_other_programs_are_read_and_never_answered(
    addressed: bool, thread: ThreadFacts | None, verdict: Disposition
) -> None:
    assert (
        judge(heard(addressed=addressed, automated=True), thread).disposition is verdict
    )


def heard(*, addressed: bool, echo: bool = False, automated: bool = False) -> Message:
    return Message(
        thread=ThreadKey("fake", "w", "c", "t"),
        message="1",
        at=1.0,
        author="alice",
        text="?",
        addressed=addressed,
        opens=False,
        echo=echo,
        automated=automated,
    )
