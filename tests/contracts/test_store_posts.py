"""The store of posts: what people see on a platform without a server of its own."""

from dataclasses import replace

import pytest

from bot.domain.attachment import Attachment
from bot.domain.message import Message
from bot.domain.post import Post
from bot.domain.retention import Retention
from bot.domain.scope import Scope, ScopeLevel, ThreadKey
from bot.ports.store import Store
from tests.support.store_helpers import answer

HERE = ThreadKey("web", "local", "welcome", "1")
PLACE = Scope.of(HERE)
CHANNEL = PLACE.at(ScopeLevel.CHANNEL)


def said(id: str, text: str = "hello", *, thread: str = "1", at: float = 1.0) -> Post:
    """Return a message of Mia in a thread of the channel."""
    key = replace(HERE, thread=thread)
    return Post(key, id, at, "mia", text)


async def test_a_post_reads_as_it_was_put(store: Store) -> None:
    file = Attachment("a.txt", "upload:f", "f", 3)
    post = replace(
        *(said("1"),),
        turn="k",
        index=2,
        final=False,
        controls=("stop",),
        body='{"a": 1}',
        reader="mia",
        signs=("👀",),
        files=(file,),
        edited=True,
    )
    await store.put_post(post, {"f": b"abc"})
    assert await store.post(PLACE, "1") == post
    assert await store.posts(HERE) == [post]
    assert await store.posted_file(PLACE, "f") == (post, b"abc")
    assert await store.post(Scope("web", "other"), "1") is None
    assert await store.posted_file(Scope("web", "other"), "f") is None


async def test_a_post_that_is_put_again_keeps_its_place_and_files(store: Store) -> None:
    await store.put_post(said("1", at=1.0), {"f": b"abc"})
    await store.put_post(said("2", at=2.0), {})
    await store.put_post(said("1", "changed", at=9.0), {})
    found = await store.posts(HERE)
    assert [(each.text, each.at) for each in found] == [
        ("changed", 1.0),
        ("hello", 2.0),
    ]
    assert await store.posted_file(PLACE, "f") == (found[0], b"abc")


async def test_topics_are_the_roots_with_what_followed(store: Store) -> None:
    await store.put_post(said("1", "one", at=1.0), {})
    await store.put_post(said("2", "two", thread="2", at=2.0), {})
    await store.put_post(said("3", "reply", at=3.0), {})
    await store.put_post(replace(said("4", "hush", at=4.0), reader="ben"), {})
    found = await store.topics(CHANNEL, 10)
    assert [(t.root.text, t.replies, t.last) for t in found] == [
        ("one", 1, 3.0),
        ("two", 0, 2.0),
    ]
    assert [t.root.text for t in await store.topics(CHANNEL, 1)] == ["two"]
    assert await store.topics(replace(CHANNEL, channel="support"), 10) == []


async def test_what_people_posted_lately(store: Store) -> None:
    await store.put_post(said("1", at=1.0), {})
    await store.put_post(said("2", "later", at=5.0), {})
    await store.put_post(replace(said("3", at=6.0), author=""), {})
    found = await store.posts_since(Scope("web", "local"), 2.0)
    assert [each.text for each in found] == ["later"]


async def test_deleting_takes_the_files_along(store: Store) -> None:
    await store.put_post(said("1"), {"f": b"abc"})
    await store.delete_posts(PLACE, ["1", "unknown"])
    assert await store.posts(HERE) == []
    assert await store.posted_file(PLACE, "f") is None


DELETIONS = {
    "message": lambda s: s.delete_messages("web", "local", ["1"], "welcome", 2.0),
    "thread": lambda s: s.delete_scope(PLACE, 2.0),
    "channel": lambda s: s.delete_scope(CHANNEL, 2.0),
}


@pytest.mark.parametrize("what", DELETIONS)
async def test_what_people_delete_is_deleted_here_too(store: Store, what: str) -> None:
    message = Message(HERE, "1", 1.0, "mia", "hello", addressed=True, opens=True)
    await store.receive(message, answer)
    await store.put_post(said("1"), {"f": b"abc"})
    await store.put_post(said("2", "other", thread="2"), {})
    await DELETIONS[what](store)
    left = 0 if what == "channel" else 1
    assert len(await store.topics(CHANNEL, 10)) == left
    assert await store.posted_file(PLACE, "f") is None


@pytest.mark.parametrize("known", [True, False])
async def test_old_threads_go_with_their_posts(store: Store, known: bool) -> None:
    if known:
        message = Message(HERE, "1", 1.0, "mia", "hello", addressed=False, opens=True)
        kept = replace(message, message="9", addressed=True)
        await store.receive(kept, answer)
        turn = await store.next_turn(HERE)
        assert turn is not None
        await store.abandon_turn(turn, "test", 1.0)
    await store.put_post(said("1", at=1.0), {"f": b"abc"})
    await store.put_post(said("2", "new", thread="2", at=5000.0), {})
    await store.clean_up(Retention(threads=1000.0), 1500.0)
    await store.clean_up(
        Retention(threads=1000.0), 10_000_000_000.0 if known else 5500.0
    )
    texts = [each.root.text for each in await store.topics(CHANNEL, 10)]
    assert "hello" not in texts
    assert ("new" in texts) is not known
    await store.clean_up(Retention(threads=None), 1e12)
