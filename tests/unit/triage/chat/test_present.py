"""Cases as they are shown in the chat."""

import pytest

from bot.domain.scope import Scope
from bot.domain.triage_case import TriageCase
from bot.schemes.scheme import default
from bot.triage.chat import present


def case(summary: str) -> TriageCase:
    return TriageCase(
        id=1,
        place=Scope("slack", "T1", "C1", "1.5"),
        message="1.5",
        author="U1",
        at=0.0,
        text="It broke",
        values={"category": "bug", "priority": "high", "summary": summary},
    )


@pytest.mark.parametrize(
    ("summary", "shown"),
    [
        ("All ``` is\nbroken.", "All ''' is broken."),
        ("Run `a.", "Run 'a."),
        ("Run `a` again.", "Run `a` again."),
    ],
)
def test_code_in_a_summary_ends_in_it(summary: str, shown: str) -> None:
    assert present.line(case(summary), default()).splitlines()[1:] == [shown]
