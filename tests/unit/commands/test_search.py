"""The search for what was said: one finds what one may read now, and nothing else."""

import pytest

from bot.commands.search import EXCERPT_CHARS, excerpt
from bot.domain.channel_access import ChannelAccess
from bot.domain.message import Message
from bot.domain.scope import Scope, ThreadKey
from bot.text.words import terms
from bot.ui.elements import Response
from tests.support.command_harness import MEMBER, Office
from tests.support.store_helpers import exchange

SECOND = ThreadKey("fake", "w", "c2", "t")
HERE = Scope("fake", "w", "c")


async def said(
    office: Office, text: str, thread: ThreadKey, *, id: str = "m", reply: str = "No."
) -> None:
    message = Message(thread, id, office.now, "ann", text, addressed=True, opens=True)
    await exchange(office.store, message, reply)


async def search(
    office: Office, words: str, place: Scope = HERE, **more: str
) -> Response:
    told = await office.give("search", MEMBER, place, words=words, **more)
    assert isinstance(told, Response)
    return told


async def test_a_hit_says_when_who_where_and_links_to_the_message() -> None:
    office = Office()
    await said(office, "Is the *plum*\nripe?", ThreadKey("fake", "w", "c", "t"))
    await said(office, "And what now?", SECOND, reply="A plum `pie`.")
    told = (await search(office, "PLU")).text.splitlines()
    assert told[1] == "> A **plum** 'pie'."
    assert "My answer" in told[0]
    assert told[3] == "> Is the **plum** ripe?"
    assert "user:ann" in told[2]
    assert "link:https://fake/c/m" in told[2]
    assert "channel:" not in told[2]
    assert "channel:c2" in told[0]


async def test_one_finds_only_what_one_may_read_now() -> None:
    office = Office()
    for place in (
        *(ThreadKey("fake", "w", "c2", "t"), ThreadKey("fake", "w", "D1", "t")),
        *(ThreadKey("fake", "other", "c", "t"), ThreadKey("fake", "w", "D2", "t")),
    ):
        await said(office, "plum", place)
    office.adapter.may["D1", MEMBER.id] = ChannelAccess(True, reads=True)
    assert (await search(office, "plum")).text.count("plum") == 1
    # Direct messages are found where they are, by whom they belong to.
    direct = await search(office, "plum", Scope("fake", "w", "D1"))
    assert direct.text.count("plum") == 2
    theirs = await search(office, "plum", Scope("fake", "w", "D2"))
    assert theirs.text.count("plum") == 1
    office.adapter.may["c2", MEMBER.id] = ChannelAccess(True)
    assert "nothing" in (await search(office, "plum")).text
    office.adapter.unknown.add(MEMBER.id)
    assert "couldn't check" in (await search(office, "plum")).text


async def test_older_hits_come_by_a_button_and_no_words_are_a_sentence() -> None:
    office = Office()
    for each in "abcdefghijk":
        await said(office, f"plum no.{each}", SECOND, id=each)
    first = await search(office, '"plum" (*')
    assert [each for each in "abcdefghijk" if f"no.{each}" in first.text] == [
        *"defghijk"
    ]
    rest = await office.press(first, "Older", MEMBER)
    assert isinstance(rest, Response)
    assert rest.text.count("plum") == 3
    assert rest.buttons == ()
    assert "Write the words" in (await search(office, '"*" -')).text
    assert "nothing" in (await search(office, "plum pear")).text


@pytest.mark.parametrize("text", ["plum " * 200, "x" * 500 + " plum", "plum"])
def test_an_excerpt_is_short_and_shows_the_word(text: str) -> None:
    made = excerpt(text, terms("plum"))
    assert "**plum**" in made
    assert len(made.replace("**", "")) <= EXCERPT_CHARS + 2
