"""A thread that is longer than Claude can read keeps its beginning and its end."""

import itertools
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bot.context import long_threads
from bot.context.long_threads import note
from bot.domain.completion import ChatMessage
from bot.domain.message import EarlierMessages, Message
from bot.domain.scope import ThreadKey


def heard(number: int, size: int) -> Message:
    thread = ThreadKey("fake", "w", "c", "t")
    return Message(thread, str(number), number, "U1", "x" * size, False, False)


def turns(*sizes: int) -> list[ChatMessage]:
    """Return a conversation whose questions and answers have these sizes."""
    return [
        ChatMessage("assistant", f"{n} " + "a" * size)
        if n % 2
        else ChatMessage("user", f"<message n={n}>" + "q" * size + "</message>")
        for n, size in enumerate(sizes)
    ]


def size(conversation: list[ChatMessage]) -> int:
    return sum(len(each.content.encode()) for each in conversation)


def test_the_first_and_the_newest_of_a_long_history_are_kept() -> None:
    history = EarlierMessages(tuple(heard(n, 1_000) for n in range(1_000)))
    kept = long_threads.keep_ends(history)
    numbers = [int(each.message) for each in kept.messages]
    assert (numbers[0], numbers[-1]) == (0, 999)
    assert numbers[kept.gap] - numbers[kept.gap - 1] - 1 == kept.missing == 600


def test_a_gap_that_is_there_grows() -> None:
    messages = tuple(heard(n, 1_000) for n in range(600))
    kept = long_threads.keep_ends(EarlierMessages(messages, 900, 20))
    assert (len(kept.messages), kept.missing, kept.gap) == (400, 1_100, 20)
    unknown = long_threads.keep_ends(EarlierMessages(messages, None, 20))
    assert (unknown.missing, unknown.gap) == (None, 20)


def test_each_gap_has_a_note_before_the_message_that_follows_it() -> None:
    first, last, question = heard(1, 5), heard(2, 5), heard(3, 5)
    after = EarlierMessages((first, last), 900, 1)
    assert long_threads.notes(after, question) == {last.message: note(900)}
    unread = replace(after, is_open=True)
    assert long_threads.notes(unread, question) == {
        last.message: note(900),
        question.message: note(None),
    }
    at_end = replace(unread, gap=2)
    assert long_threads.notes(at_end, question) == {question.message: note(900)}
    assert long_threads.notes(replace(after, missing=0), question) == {}


def test_what_a_note_says_is_read_where_nobody_can_type() -> None:
    message = "<message>hi</message>"
    assert long_threads.count_noted([message, f"{note(981)}\n{message}"]) == 980
    assert long_threads.count_noted([f"{note(1_234_567)}\n{message}"]) == 1_200_000
    assert long_threads.count_noted([f"{note(None)}\n{message}"]) is None
    assert long_threads.count_noted([f"<message>{note(9)}</message>"]) == 0
    assert long_threads.count_noted([]) == 0


def test_what_fits_is_not_touched() -> None:
    history = EarlierMessages((heard(1, 5), heard(2, 5)), 900, 1)
    assert long_threads.keep_ends(history) == history
    talk = turns(10, 10, 10)
    assert long_threads.fit(talk, 1_000) == (talk, 0)


@given(st.lists(st.integers(0, 3_000), min_size=1, max_size=60))
def test_a_conversation_fits_begins_with_its_beginning_and_ends_with_its_end(
    sizes: list[int],
) -> None:
    talk = turns(*sizes[: len(sizes) - (len(sizes) + 1) % 2])
    cut, left_out = long_threads.fit(talk, 4_000)
    # A note, and the rest of a message that was cut, come on top.
    assert size(cut) <= 4_000 + 200
    assert [each.role for each in cut] == [
        "assistant" if n % 2 else "user" for n in range(len(cut))
    ]
    assert cut[0].content.startswith(talk[0].content[:15])
    assert cut[-1].content.endswith(talk[-1].content[-15:])
    assert (left_out > 0) == (size(talk) > 4_000)
    assert ("are not shown here" in cut[0].content) == (left_out > 0)


def test_the_cut_stays_where_it_is_while_the_conversation_grows() -> None:
    talk, places = turns(*[400] * 200), []
    for end in range(101, 200, 2):
        cut, _ = long_threads.fit(talk[:end], 20_000)
        places.append(cut[0].content)
    # The conversation grows by twice what fits, and half of that goes at a time.
    changes = [a != b for a, b in itertools.pairwise(places)]
    assert 1 <= sum(changes) <= 5
