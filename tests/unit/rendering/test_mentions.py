"""Pings: what would call people is defused, however it arrives."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.rendering.mentions import REACH, ZERO_WIDTH_SPACE, MentionEscaper
from tests.unit.rendering.feeding import fed

SLACK = re.compile(r"<(?:[@#][A-Z0-9]|!(?:channel|here|everyone|subteam\^|date\^))")
DISCORD = re.compile(r"@(?=everyone|here)|<@")

NASTY = st.lists(
    st.sampled_from(
        [
            *["<@U1>", "<", "@", "!", "<!", "channel", "<!here>", "<!subteam^S1|@ops>"],
            *["everyone", "every", "one", "@here", "<@&77>", "<#C1>", "^", " ", "\n"],
        ]
    ),
    max_size=12,
).map("".join)
PATTERNS = pytest.mark.parametrize(
    "pattern", [SLACK, DISCORD], ids=["slack", "discord"]
)


def defused(text: str, pattern: re.Pattern[str] | None, size: int = 10**6) -> str:
    return fed(MentionEscaper(pattern), text, size)


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("Ask <@U123> now", "Ask <~@U123> now"),
        ("in <#C9|general>", "in <~#C9|general>"),
        ("<!channel> and <!subteam^S1>", "<~!channel> and <~!subteam^S1>"),
        ("<<@U1>", "<<~@U1>"),
        ("a < b, @channel, <!doctype html>", "a < b, @channel, <!doctype html>"),
    ],
)
def test_slack_mentions_are_defused(text: str, safe: str) -> None:
    assert defused(text, SLACK) == safe.replace("~", ZERO_WIDTH_SPACE)


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("@everyone look", "@~everyone look"),
        ("mail me@here.org", "mail me@~here.org"),
        ("<@&77> and <@!5>", "<~@&77> and <~@!5>"),
        ("<@here", "<~@~here"),
        ("decorate with @cache", "decorate with @cache"),
    ],
)
def test_discord_mentions_are_defused(text: str, safe: str) -> None:
    assert defused(text, DISCORD) == safe.replace("~", ZERO_WIDTH_SPACE)


def test_without_a_pattern_everything_passes_at_once() -> None:
    assert MentionEscaper(None).feed("<!channel> @every") == "<!channel> @every"


def test_holds_back_what_may_become_a_ping() -> None:
    defuser = MentionEscaper(SLACK)
    assert defuser.feed("Ask <") == "Ask "
    assert defuser.feed("@U1") == ""
    assert defuser.flush() == f"<{ZERO_WIDTH_SPACE}@U1"


def test_words_are_never_held_back() -> None:
    assert (
        MentionEscaper(SLACK).feed("The answer, of course") == "The answer, of course"
    )


@PATTERNS
@given(text=NASTY | st.text(), size=st.integers(1, 20))
def test_pieces_do_not_matter(pattern: re.Pattern[str], text: str, size: int) -> None:
    assert defused(text, pattern, size) == defused(text, pattern)


@PATTERNS
@given(text=NASTY, size=st.integers(1, 20))
def test_nothing_is_left_that_pings(
    pattern: re.Pattern[str], text: str, size: int
) -> None:
    safe = defused(text, pattern, size)
    assert pattern.search(safe) is None
    assert safe.replace(ZERO_WIDTH_SPACE, "") == text


@PATTERNS
@given(text=NASTY, size=st.integers(1, 20))
def test_holds_back_less_than_its_reach(
    pattern: re.Pattern[str], text: str, size: int
) -> None:
    defuser = MentionEscaper(pattern)
    fed = seen = 0
    for at in range(0, len(text), size):
        fed += len(text[at : at + size])
        seen += len(defuser.feed(text[at : at + size]).replace(ZERO_WIDTH_SPACE, ""))
        assert fed - seen < REACH
