"""The contract of stores: quotes, moves, edits and deletions of messages."""

from dataclasses import replace

import pytest

from bot.domain.attachment import Attachment
from bot.domain.completion import ChatMessage
from bot.domain.message import Disposition, ThreadFacts
from bot.domain.reply import PostedPart
from bot.domain.scope import ThreadKey
from bot.domain.turn import Ended, Outcome, TurnMessage, TurnState
from bot.ports.store import Store
from tests.support.store_helpers import (
    HERE,
    THERE,
    answer,
    ask,
    disposition,
    done,
    exchange,
    following,
    judged_after,
    keep,
    said,
    waiting,
)


async def erase(store: Store, *messages: str, channel: str | None = "C1") -> None:
    await store.delete_messages("slack", "T1", messages, channel, 50.0)


# Quoting


async def test_what_a_question_quotes_is_read_before_it(store: Store) -> None:
    quoted = said("1", at=1.0, author="U2", addressed=False)
    turn = await waiting(store, said("2", at=2.0, quotes=(quoted,)))
    assert await store.begin_turn(turn, 3.0) == [
        TurnMessage(quoted),
        TurnMessage(said("2", at=2.0)),
    ]
    assert await store.transcript(HERE) == [("U2", "text of 1"), ("U1", "text of 2")]
    assert await disposition(store, quoted, answer) is Disposition.IGNORE


async def test_what_a_question_quotes_belongs_to_its_own_turn(store: Store) -> None:
    first = await ask(store, said("2", at=2.0))
    await store.receive(said("3", at=3.0, quotes=(said("1"),)), answer)
    assert [each.message.message for each in await store.begin_turn(first, 11.0)] == [
        "2"
    ]
    await store.finish_turn(first, done("Yes."), 12.0)
    await store.mark_delivered(first, 12.0)
    spoken = await store.begin_turn(await following(store), 13.0)
    assert [each.message.message for each in spoken] == ["1", "3"]


async def test_what_a_kept_message_quotes_is_kept_with_it(store: Store) -> None:
    turn = await waiting(store, said("9", at=9.0))
    await store.receive(said("2", at=2.0, quotes=(said("1"),)), keep)
    spoken = await store.begin_turn(turn, 10.0)
    assert [each.message.message for each in spoken] == ["1", "2", "9"]


async def test_an_ignored_message_brings_no_quotes(store: Store) -> None:
    await store.receive(said("1", at=1.0), answer)
    quoting = said("1", at=1.0, quotes=(said("0"),))
    assert await disposition(store, quoting, answer) is Disposition.IGNORE
    assert await store.transcript(HERE) == [("U1", "text of 1")]


async def test_quoting_what_is_known_changes_nothing(store: Store) -> None:
    await exchange(store, said("1", at=1.0), "One.")
    before = await store.conversation(HERE)
    again = said("1", at=1.0, text="else")
    turn = await ask(store, said("2", at=2.0, quotes=(again,)))
    assert await store.conversation(HERE) == [*before, ChatMessage("user", "TEXT OF 2")]
    spoken = await store.begin_turn(turn, 30.0)
    assert [each.message.message for each in spoken] == ["2"]


async def test_our_own_words_are_not_remembered_as_a_quote(store: Store) -> None:
    turn = await waiting(store, said("2", at=2.0, quotes=(said("1", echo=True),)))
    assert await store.begin_turn(turn, 3.0) == [TurnMessage(said("2", at=2.0))]


async def test_a_quoted_root_makes_no_thread_follow(store: Store) -> None:
    root = said("1", opens=True, addressed=True)
    facts = await judged_after(store, said("2", at=2.0, quotes=(root,)))
    assert facts == [None, ThreadFacts(follows=False)]


# Moving


async def test_a_thread_that_moved_is_the_same_elsewhere(store: Store) -> None:
    to = ThreadKey("slack", "T1", "C9", "9.0")
    await exchange(store, said("1", at=1.0, opens=True), "One.")
    turn = await ask(store, said("2", at=2.0))
    await store.store_part(turn, PostedPart(0, "m", "Tw"), "Tw", 11.0)
    before = await following(store)
    conversation = await store.conversation(HERE)
    await store.move_thread(HERE, to)
    assert await store.next_turn(HERE) is None
    assert await store.conversation(HERE) == []
    assert await store.open_threads() == [to]
    moved = await following(store, to)
    assert moved == replace(
        before, thread=to, opening=replace(said("1", at=1.0, opens=True), thread=to)
    )
    assert await store.conversation(to) == conversation
    (spoken,) = await store.begin_turn(moved, 12.0)
    assert spoken.message == said("2", at=2.0, thread=to)
    assert await disposition(store, said("1", thread=to), answer) is Disposition.IGNORE
    await store.finish_turn(moved, done("Two."), 20.0)
    assert (await store.conversation(to))[-1] == ChatMessage("assistant", "Two.")
    # Whoever speaks where it was begins a thread of their own.
    assert await disposition(store, said("1"), answer) is Disposition.ANSWER


async def test_a_thread_does_not_move_onto_another(store: Store) -> None:
    await store.receive(said("1"), answer)
    await store.receive(said("2", thread=THERE), answer)
    await store.move_thread(HERE, THERE)
    assert await store.transcript(HERE) == [("U1", "text of 1")]
    assert await store.transcript(THERE) == [("U1", "text of 2")]
    await store.move_thread(HERE, HERE)
    assert await store.transcript(HERE) == [("U1", "text of 1")]


async def test_an_unknown_thread_does_not_move(store: Store) -> None:
    await store.move_thread(HERE, THERE)
    assert await store.list_threads("slack", "C1") == []
    assert await store.reset_context(THERE) is False


# Amending


async def text_of(store: Store, thread: ThreadKey, message: str) -> str | None:
    stored = await store.stored_message(thread, message)
    return stored.message.text if stored else None


async def test_a_message_is_recalled_as_it_reads_now(store: Store) -> None:
    assert await text_of(store, HERE, "1") is None
    await store.receive(said("1", text=""), answer)
    assert await text_of(store, HERE, "1") == ""
    assert await text_of(store, THERE, "1") is None
    await store.edit_message(said("1", text="new"), "NEW", 5.0)
    assert await text_of(store, HERE, "1") == "new"
    await erase(store, "1")
    assert await text_of(store, HERE, "1") is None


async def test_an_edit_before_it_is_read_changes_what_will_be_read(
    store: Store,
) -> None:
    turn = await waiting(store, said("1", files=(Attachment("a.png"),)))
    await store.edit_message(
        said("1", text="new", files=(Attachment("b.png"),)), "NEW", 5.0
    )
    assert await store.conversation(HERE) == []
    assert await store.begin_turn(turn, 6.0) == [
        TurnMessage(said("1", text="new", files=(Attachment("b.png"),)))
    ]
    assert await store.transcript(HERE) == [("U1", "new")]
    (summary,) = await store.list_threads("slack", "C1")
    assert summary.title == "new"


async def test_an_edit_changes_what_claude_has_read(store: Store) -> None:
    turn = await ask(store, said("1", at=1.0), said("2", at=2.0), preface="Monday.")
    await store.edit_message(said("1", at=7.0, author="U7", text="new"), "NEW", 11.0)
    assert await store.conversation(HERE) == [
        ChatMessage("user", "Monday.\nNEW\nTEXT OF 2")
    ]
    spoken = await store.begin_turn(turn, 12.0)
    assert spoken[0] == TurnMessage(said("1", at=1.0, text="new"), "NEW")


async def test_an_edit_while_claude_is_about_to_read_is_not_missed(
    store: Store,
) -> None:
    """Between `begin` and `freeze` the old words are under way."""
    turn = await waiting(store, said("1", at=1.0), said("2", at=2.0))
    await store.begin_turn(turn, 3.0)
    await store.edit_message(said("2", at=2.0, text="new"), "NEW", 4.0)
    assert await store.conversation(HERE) == []
    assert await store.begin_turn(turn, 5.0) == [
        TurnMessage(said("1", at=1.0)),
        TurnMessage(said("2", at=2.0, text="new")),
    ]
    await store.store_prompt(turn, "", {"1": "ONE", "2": "OLD"})
    assert await store.conversation(HERE) == [ChatMessage("user", "ONE\nNEW")]


async def test_unknown_and_erased_messages_are_not_amended(store: Store) -> None:
    await store.edit_message(said("1", text="new"), "NEW", 5.0)
    assert await store.list_threads("slack", "C1") == []
    turn = await ask(store, said("1", at=1.0), said("2", at=2.0))
    await erase(store, "1")
    await store.edit_message(said("1", text="new"), "NEW", 11.0)
    assert await store.conversation(HERE) == [ChatMessage("user", "TEXT OF 2")]
    assert await store.begin_turn(turn, 12.0) == [
        TurnMessage(said("2", at=2.0), "TEXT OF 2")
    ]


async def test_an_edit_reaches_those_who_quoted_it(store: Store) -> None:
    await ask(store, said("1", thread=THERE))
    await ask(store, said("2", at=2.0, quotes=(said("1"),)))
    await store.edit_message(said("1", thread=THERE, text="new"), "NEW", 11.0)
    assert await store.conversation(THERE) == [ChatMessage("user", "NEW")]
    assert await store.conversation(HERE) == [ChatMessage("user", "NEW\nTEXT OF 2")]
    abroad = ThreadKey("slack", "T1", "C2", "1.0")
    await store.edit_message(said("1", thread=abroad, text="else"), "ELSE", 12.0)
    assert await store.conversation(THERE) == [ChatMessage("user", "NEW")]


# Erasing


async def test_an_erased_message_is_nowhere(store: Store) -> None:
    await exchange(store, said("1", at=1.0), "One.")
    await ask(store, said("2", at=2.0), said("3", at=3.0), preface="Monday.")
    await erase(store, "1", "2", "unheard")
    assert await store.transcript(HERE) == [("", "One."), ("U1", "text of 3")]
    assert await store.conversation(HERE) == [ChatMessage("user", "Monday.\nTEXT OF 3")]
    (summary,) = await store.list_threads("slack", "C1")
    assert (summary.title, summary.turns) == ("text of 3", 2)
    assert await text_of(store, HERE, "1") is None


async def test_an_erased_message_does_not_come_again(store: Store) -> None:
    turn = await waiting(store, said("2", at=2.0))
    await erase(store, "2")
    assert await disposition(store, said("2", at=2.0), answer) is Disposition.IGNORE
    assert await store.backfill(turn, [said("2", at=2.0)]) == []
    again = said("3", at=3.0, quotes=(said("2", at=2.0),))
    assert (await waiting(store, again)).id == turn.id
    assert await store.begin_turn(turn, 4.0) == [TurnMessage(said("3", at=3.0))]
    assert await store.transcript(HERE) == [("U1", "text of 3")]


@pytest.mark.parametrize(
    ("thread", "channel", "is_left"),
    [
        (HERE, "C1", False),
        (THERE, "C1", False),
        (ThreadKey("slack", "T1", "C2", "1.0"), "C1", True),
        (ThreadKey("slack", "T1", "C2", "1.0"), None, False),
        (ThreadKey("slack", "T2", "C1", "1.0"), None, True),
        (ThreadKey("discord", "T1", "C1", "1.0"), None, True),
    ],
    ids=str,
)
async def test_erasing_is_for_one_channel_or_for_the_workspace(
    store: Store, thread: ThreadKey, channel: str | None, is_left: bool
) -> None:
    await store.receive(said("1", thread=thread), answer)
    await erase(store, "1", channel=channel)
    assert bool(await store.transcript(thread)) is is_left


@pytest.mark.parametrize("preface", ["Monday.", ""])
async def test_a_conversation_goes_on_without_an_erased_question(
    store: Store, preface: str
) -> None:
    turn = await ask(store, said("1", at=1.0), preface=preface)
    await store.finish_turn(turn, done("One."), 20.0)
    await store.mark_delivered(turn, 21.0)
    await exchange(store, said("2", at=2.0), "Two.")
    await erase(store, "1")
    rest = [ChatMessage("user", "TEXT OF 2"), ChatMessage("assistant", "Two.")]
    stub = (
        [ChatMessage("user", "Monday."), ChatMessage("assistant", "One.")]
        if preface
        else []
    )
    assert await store.conversation(HERE) == [*stub, *rest]


async def test_an_erased_question_without_a_replayed_answer_leaves_nothing(
    store: Store,
) -> None:
    turn = await ask(store, said("1", at=1.0), preface="Monday.")
    await erase(store, "1")
    assert await store.conversation(HERE) == []
    await store.finish_turn(turn, Outcome(Ended.FAILED, text="Hel"), 20.0)
    assert await store.conversation(HERE) == []
    assert await store.transcript(HERE) == [("", "Hel")]


async def test_a_turn_whose_question_was_erased_has_nothing_to_answer(
    store: Store,
) -> None:
    """Its asides and quotes stay, and are read with the next question."""
    quoted = said("1", at=1.0)
    turn = await waiting(store, said("2", at=2.0, quotes=(quoted,)))
    await store.receive(said("3", at=3.0), keep)
    await erase(store, "2")
    assert await store.begin_turn(turn, 4.0) == []
    begun = await following(store)
    assert (begun.state, begun.attempts) == (TurnState.ANSWERING, 1)
    await store.store_prompt(turn, "Monday.", {"1": "ONE", "2": "TWO", "3": "THREE"})
    assert await store.conversation(HERE) == []
    await store.finish_turn(turn, Outcome(Ended.STOPPED, text=""), 5.0)
    await store.mark_delivered(turn, 6.0)
    later = await waiting(store, said("4", at=4.0))
    spoken = await store.begin_turn(later, 7.0)
    assert [each.message.message for each in spoken] == ["3", "4"]


async def test_what_is_erased_between_the_attempts_is_not_read_again(
    store: Store,
) -> None:
    turn = await waiting(store, said("2", at=2.0), said("3", at=3.0))
    await store.receive(said("1", at=1.0), keep)
    assert len(await store.begin_turn(turn, 4.0)) == 3
    await erase(store, "2")
    spoken = await store.begin_turn(turn, 5.0)
    assert [each.message.message for each in spoken] == ["1", "3"]
    await erase(store, "3")
    assert await store.begin_turn(turn, 6.0) == []


async def test_what_is_erased_while_claude_is_about_to_read_is_not_read(
    store: Store,
) -> None:
    turn = await waiting(store, said("1", at=1.0), said("2", at=2.0))
    await store.begin_turn(turn, 3.0)
    await erase(store, "1")
    await store.store_prompt(turn, "", {"1": "ONE", "2": "TWO"})
    assert await store.conversation(HERE) == [ChatMessage("user", "TWO")]


async def test_a_turn_knows_what_its_thread_began_with(store: Store) -> None:
    await store.receive(said("1", at=1.0), keep)
    opening = said("2", at=2.0, opens=True)
    await exchange(store, opening, "Two.")
    turn = await ask(store, said("3", at=3.0))
    assert turn.opening == opening
    assert (turn.begins, (await following(store)).opening) == (False, opening)
    await store.delete_messages("slack", "T1", ["2"], None, 4.0)
    assert (await following(store)).opening == said("3", at=3.0)


# Edits that add or remove a mention


@pytest.mark.parametrize("opens", [True, False])
async def test_an_edited_message_asks_once(store: Store, opens: bool) -> None:
    await exchange(store, said("1", at=1.0, opens=not opens), "One.")
    plain = said("2", at=2.0, opens=opens, addressed=False)
    await store.receive(plain, keep)
    edited = replace(plain, text="new", addressed=True)
    found = [(await store.readdress(edited, answer)).disposition for _ in range(2)]
    assert found == [Disposition.ANSWER, Disposition.IGNORE]
    spoken = await store.begin_turn(await following(store), 10.0)
    assert [each.message.text for each in spoken] == ["new"]
    again = replace(edited, addressed=False)
    assert (await store.readdress(again, keep)).disposition is Disposition.IGNORE


async def test_what_was_read_as_context_is_asked_and_read_once(store: Store) -> None:
    plain = said("2", at=2.0, addressed=False)
    await store.receive(said("1", at=1.0), answer)
    await store.receive(plain, keep)
    turn = await ask(store, said("3", at=3.0))
    await store.finish_turn(turn, done("One."), 20.0)
    await store.mark_delivered(turn, 21.0)
    await store.readdress(replace(plain, addressed=True), answer)
    spoken = await store.begin_turn(await following(store), 30.0)
    assert [each.message.message for each in spoken] == ["2"]
    assert "TEXT OF 2" not in str(await store.conversation(HERE))


async def test_a_waiting_question_is_taken_back_and_read(store: Store) -> None:
    asked = said("1", opens=True)
    await waiting(store, asked)
    plain = replace(asked, text="no", addressed=False)
    assert (await store.readdress(plain, keep)).disposition is Disposition.KEEP
    turn = await following(store)
    assert turn.asker == ""
    assert await store.begin_turn(turn, 9.0) == []
    await store.finish_turn(turn, done(""), 9.0)
    await store.mark_delivered(turn, 9.0)
    await store.receive(said("2", at=2.0), answer)
    spoken = await store.begin_turn(await following(store), 10.0)
    assert [each.message.text for each in spoken] == ["no", "text of 2"]


async def test_an_edit_of_an_unknown_or_deleted_message(store: Store) -> None:
    plain = said("1", addressed=False)
    assert (await store.readdress(plain, answer)).disposition is Disposition.IGNORE
    assert (await store.readdress(said("1"), answer)).disposition is Disposition.ANSWER
    await store.receive(said("2", addressed=False), keep)
    await store.delete_messages("slack", "T1", ["2"], "C1", 5.0)
    assert (await store.readdress(said("2"), answer)).disposition is Disposition.IGNORE
