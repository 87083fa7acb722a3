"""The contract of stores: the search of messages and answers."""

from collections.abc import Sequence
from dataclasses import replace

from bot.domain.retention import DAY, Retention
from bot.domain.scope import Scope, ScopeLevel
from bot.ports.store import Store
from bot.text.words import terms
from tests.support.store_helpers import HERE, THERE, exchange, keep, repeated, said

CHANNEL = Scope.of(HERE).at(ScopeLevel.CHANNEL)
ASIDE = replace(HERE, channel="C2", thread="3.0")
ABROAD = replace(HERE, workspace="T2", thread="4.0")


async def found(
    store: Store, words: str, channels: Sequence[Scope] = (CHANNEL,)
) -> list[str]:
    """Return the texts of what is found."""
    hits = await store.search(channels, terms(words), most=10)
    return [hit.text for hit in hits.found]


async def test_messages_and_answers_are_found_newest_first(store: Store) -> None:
    heard = said("1", text="Which Café is open?", opens=True)
    await exchange(store, heard, "The cafe at the corner, and 検索機能.")
    await exchange(store, said("2", at=2.0, thread=THERE, text="caffeine"), "No idea.")
    assert await found(store, "CAFÉ") == [
        "The cafe at the corner, and 検索機能.",
        "Which Café is open?",
    ]
    for words, texts in {
        # All words, in any order, by their beginnings; short ones as a whole.
        "open which": ["Which Café is open?"],
        "caf": ["caffeine", "The cafe at the corner, and 検索機能."],
        "i": [],
        "is": ["Which Café is open?"],
        # In scripts without spaces, by any part.
        "機能": ["The cafe at the corner, and 検索機能."],
        "索": ["The cafe at the corner, and 検索機能."],
        "能検": [],
        # The syntax of no query language is one.
        'NEAR(caf*, "ope") NOT': [],
        '"open" (which)*': ["Which Café is open?"],
    }.items():
        assert (await found(store, words))[: len(texts) or None] == texts, words
    hits = await store.search([CHANNEL], terms("corner"), most=10)
    [hit] = hits.found
    assert (hit.thread, hit.author, hit.at) == (HERE, "", 1.0)
    assert hits.before is None


async def test_pages_follow_each_other_and_channels_are_apart(store: Store) -> None:
    for number in range(5):
        await store.receive(said(f"1.{number}", text=f"pear {number}"), keep)
        await exchange(store, said(f"2.{number}", at=2.0, text=f"pear b{number}"), "-")
    await exchange(store, said("3", thread=ASIDE, text="pear aside"), "-")
    await exchange(store, said("4", thread=ABROAD, text="pear abroad"), "-")
    texts, before = [], None
    while True:
        hits = await store.search([CHANNEL], terms("pear"), most=2, before=before)
        texts += [hit.text for hit in hits.found]
        before = hits.before
        if before is None:
            break
    assert len(texts) == len(set(texts)) == 9
    assert not {"pear aside", "pear abroad"} & set(texts)
    assert await store.channels_with(Scope.of(HERE), terms("pear")) == [
        Scope.of(ASIDE).at(ScopeLevel.CHANNEL),
        CHANNEL,
    ]
    assert await store.channels_with(Scope.of(HERE), terms("plum")) == []


async def test_what_changes_is_found_as_it_reads_now(store: Store) -> None:
    heard = said("1", text="apple", opens=True)
    await exchange(store, heard, "apple pie")
    await store.edit_message(replace(heard, text="banana"), "banana", 30.0)
    assert await found(store, "apple") == ["apple pie"]
    assert await found(store, "banana") == ["banana"]
    # An answer that is given anew is not there any more.
    assert await repeated(store, 31.0)
    assert await found(store, "apple") == []
    await store.delete_messages("slack", "T1", ["1"], "C1", 40.0)
    assert await found(store, "banana") == []


async def test_a_thread_is_found_where_it_moved_and_not_once_it_expired(
    store: Store,
) -> None:
    await exchange(store, said("1", text="cherry", opens=True), "cherry tart")
    await store.move_thread(HERE, ASIDE)
    assert await found(store, "cherry") == []
    there = [Scope.of(ASIDE).at(ScopeLevel.CHANNEL)]
    assert await found(store, "cherry", there) == ["cherry tart", "cherry"]
    await store.clean_up(Retention(threads=DAY), 1e10)
    assert await store.channels_with(Scope.of(HERE), terms("cherry")) == []
