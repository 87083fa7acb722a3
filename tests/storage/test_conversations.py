"""Invariants of every conversation, after any sequence of events."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.attachment import Attachment
from bot.domain.completion import ChatMessage, Usage
from bot.domain.message import Message
from bot.domain.reply import PostedPart
from bot.domain.scope import Scope, ScopeLevel, ThreadKey
from bot.domain.turn import Ended, Outcome, Turn
from bot.ports.store import Store
from tests.support.deep import rounds
from tests.support.memory_store import MemoryStore
from tests.support.store_helpers import (
    HERE,
    THERE,
    answer,
    ignore,
    keep,
    repeated,
    said,
)

THREADS = [HERE, THERE, ThreadKey("slack", "T2", "C1", "1.0")]

HERE_ONLY, ALL_OF_IT = Scope.of(HERE), Scope.of(HERE).at(ScopeLevel.CHANNEL)

#: Something that happens to a store; it may be to one of the turns met so far.
Event = Callable[[Store, list[Turn]], Awaitable[object]]
#: Something that is done to a turn at a certain time.
Act = Callable[[Store, Turn, float], Awaitable[object]]

threads = st.sampled_from(THREADS)
times = st.integers(0, 9).map(float)
flags = st.booleans()
parts = st.integers(0, 2)
words = st.sampled_from(["", "a", "b\n c"])

ids = st.integers(0, 9).map(str)

quotes = st.builds(said, ids, times, text=words, opens=flags, echo=flags)
messages = st.builds(
    said,
    ids,
    times,
    thread=threads,
    text=words,
    addressed=flags,
    opens=flags,
    automated=flags,
    files=st.sampled_from([(), (Attachment("x.png"),)]),
    quotes=st.lists(quotes, max_size=2).map(tuple),
    holds=st.lists(ids, max_size=1).map(tuple),
)


def hear(heard: Message, opinion: int) -> Event:
    judge = (answer, keep, ignore)[opinion]
    return lambda store, _: store.receive(heard, judge)


def correct(change: Callable[[Store], Awaitable[object]]) -> Event:
    return lambda store, _: change(store)


def corrections() -> st.SearchStrategy[Event]:
    """Return everything that people can change of what was said."""
    channels = st.sampled_from([None, "C1"])
    changes = st.one_of(
        st.builds(
            lambda thread, to: lambda store: store.move_thread(thread, to),
            threads,
            threads,
        ),
        st.builds(
            lambda heard, content: (
                lambda store: store.edit_message(heard, content, 5.0)
            ),
            messages,
            words,
        ),
        st.builds(
            lambda erased, channel: (
                lambda store: store.delete_messages("slack", "T1", erased, channel, 5.0)
            ),
            st.lists(ids | st.sampled_from(["p", "q", "1.0"]), max_size=3),
            channels,
        ),
        st.builds(
            lambda heard, holder: lambda store: store.add_holder(heard, holder, 5.0),
            messages,
            ids,
        ),
        st.sampled_from([HERE_ONLY, ALL_OF_IT]).map(
            lambda place: lambda store: store.delete_scope(place, 5.0)
        ),
        threads.map(lambda thread: lambda store: store.reset_context(thread)),
        st.builds(
            lambda thread, now: lambda store: repeated(store, now, thread),
            threads,
            times,
        ),
    )
    return changes.map(correct)


def freeze(thread: ThreadKey, preface: str, contents: dict[str, str]) -> Event:
    async def happen(store: Store, _: list[Turn]) -> None:
        if turn := await store.next_turn(thread):
            await store.store_prompt(turn, preface, contents)

    return happen


def happening(index: int, act: Act, now: float) -> Event:

    async def happen(store: Store, met: list[Turn]) -> object:
        if not met:
            return None
        return await act(store, met[index % len(met)], now)

    return happen


def acts(*ends: Ended) -> st.SearchStrategy[Act]:
    """Return everything that can be done to a turn that ends as one of `ends`."""
    outcomes = st.builds(
        Outcome,
        st.sampled_from(ends),
        text=words,
        replay=words,
        note=words,
        model=st.sampled_from(["m", "n"]),
        usage=st.builds(Usage, input=st.integers(0, 9), output=st.integers(0, 9)),
        cost=st.none() | st.sampled_from([0.0, 0.25]),
    )
    shown = st.builds(PostedPart, parts, st.sampled_from([None, "p", "q"]), words)
    return st.one_of(
        st.just(lambda store, turn, now: store.begin_turn(turn, now)),
        st.just(lambda store, turn, now: store.mark_delivered(turn, now)),
        st.just(lambda store, turn, now: store.release_turn(turn)),
        outcomes.map(
            lambda end: lambda store, turn, now: store.finish_turn(turn, end, now)
        ),
        st.lists(messages, max_size=3).map(
            lambda history: (
                lambda store, turn, now: store.backfill(
                    turn, [replace(heard, thread=turn.thread) for heard in history]
                )
            )
        ),
        shown.map(
            lambda now_reads: (
                lambda store, turn, now: store.store_part(
                    turn, now_reads, now_reads.text, now
                )
            )
        ),
        parts.map(lambda part: lambda store, turn, now: store.forget_part(turn, part)),
    )


def stories(*ends: Ended, corrected: bool = False) -> st.SearchStrategy[list[Event]]:
    contents = st.dictionaries(ids, words)
    moments = times.map(lambda at: at * 30_000)
    event = st.one_of(
        st.builds(hear, messages, st.integers(0, 2)),
        st.builds(freeze, threads, words, contents),
        st.builds(happening, st.integers(0, 99), acts(*ends), moments),
        *([corrections()] if corrected else []),
    )
    return st.lists(event, min_size=10, max_size=30)


@settings(max_examples=rounds(8, 1_000), deadline=None, database=None)
@given(stories(Ended.DONE, Ended.STOPPED, Ended.FAILED))
def test_a_conversation_only_grows_at_its_end(story: list[Event]) -> None:
    async def follow() -> None:
        store = MemoryStore()
        for event in story:
            before = [await store.conversation(thread) for thread in THREADS]
            await event(store, await next_turns(store))
            for thread, was in zip(THREADS, before, strict=True):
                assert grown(was, await store.conversation(thread))

    asyncio.run(follow())


@settings(max_examples=rounds(8, 1_000), deadline=None, database=None)
@given(stories(*Ended, corrected=True))
def test_an_answer_never_stands_without_a_question(story: list[Event]) -> None:
    async def follow() -> None:
        store = MemoryStore()
        for event in story:
            await event(store, await next_turns(store))
            for thread in THREADS:
                roles = [said.role for said in await store.conversation(thread)]
                before = ["nobody", *roles]
                assert all(
                    was == "user"
                    for was, role in zip(before, roles, strict=False)
                    if role == "assistant"
                )

    asyncio.run(follow())


def grown(was: list[ChatMessage], now: list[ChatMessage]) -> bool:
    """Return whether `now` is `was`, or `was` with more at its end."""
    if not was:
        return True
    *kept, last = was
    return (
        now[: len(kept)] == kept
        and now[len(kept)].role == last.role
        and now[len(kept)].content.startswith(last.content)
    )


async def next_turns(store: Store) -> list[Turn]:
    found = [await store.next_turn(thread) for thread in THREADS]
    return [turn for turn in found if turn]
