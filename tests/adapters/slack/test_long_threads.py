"""The bot is mentioned in a thread that is too long to be read in full."""

import itertools
import time

import pytest

from adapters.slack import history
from bot.context import long_threads
from bot.domain.scope import Scope
from bot.domain.setting import Change
from tests.adapters.slack.conftest import ApiOffice, Office
from tests.emulators.slack.emulator import SlackEmulator
from tests.support.deep import deep_only
from tests.support.memory_store import MemoryStore
from tests.support.process import running
from tests.support.scripted_model import ScriptedModel
from tests.support.triage_requests import sorted_as

# A busy machine does not acknowledge hundreds of events within Slack's three seconds;
# repeats that come faster than they are taken in would only grow.
ACK_TIMEOUT = 60.0
#: The number of newest messages that are read with `short_pages`.
NEWEST = 100


def thread_of(
    slack: SlackEmulator, user: str, replies: int, *, joined: bool = False
) -> tuple[str, str]:
    """Have `user` write a thread of so many replies, of which the bot hears none unless
    it had `joined` the channel; return the channel and the thread."""
    channel = slack.add_channel("builds", joined=joined)
    ts = slack.say(user, channel, "The build is red since 9:00.")
    for number in range(replies):
        slack.say(user, channel, f"note {number}", thread_ts=ts)
    if not joined:
        slack.invite(channel)
    return channel, ts


async def asked(
    slack: SlackEmulator, replies: int, *, joined: bool = False
) -> tuple[str, list[str]]:
    """Ask in a thread of so many replies; return what Claude reads, and what people
    read."""
    alice = slack.add_user("Alice")
    channel, ts = thread_of(slack, alice, replies, joined=joined)
    model = ScriptedModel()
    store = MemoryStore()
    async with running(slack, store, model):
        slack.say(alice, channel, f"{slack.mention} what began this?", thread_ts=ts)

        def told() -> list[str]:
            return [each.text for each in slack.thread(channel, ts) if each.bot]

        def is_whole() -> bool:
            return "Understood." in told()[0] and not told()[0].endswith(" …")

        await slack.until(is_whole)
        return model.requests[0].messages[0].content, told()


@pytest.fixture
def short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a fifth of the messages read, and asked for at once."""
    monkeypatch.setattr(history, "MOST_HISTORY", NEWEST)
    monkeypatch.setattr(history, "THREAD_PAGE", 199)


# The second takes a second page.
@pytest.mark.parametrize(("replies", "missing"), [(190, "71"), (300, "180")])
@pytest.mark.usefixtures("short_pages")
async def test_the_root_and_the_newest_are_read_and_the_gap_is_named(
    replies: int, missing: str
) -> None:
    async with SlackEmulator(ack_timeout=ACK_TIMEOUT) as slack:
        read, told = await asked(slack, replies)
    note = f"<note>About {missing} messages of this thread are not shown here.</note>"
    before, after = read.split(note)
    assert "The build is red since 9:00." in before
    assert ">note 18<" in before
    assert ">note 19<" not in before
    assert f">note {replies - 1}<" in after
    assert f">note {replies - NEWEST}<" in after
    assert f"left out about {missing} between" in told[0]


@pytest.mark.usefixtures("short_pages")
async def test_a_thread_of_which_all_is_read_has_no_gap_and_takes_one_call() -> None:
    replies = NEWEST + 10
    async with SlackEmulator(ack_timeout=ACK_TIMEOUT) as slack:
        read, told = await asked(slack, replies)
        assert len(slack.calls_of("conversations.replies")) == 1
    assert read.count(">The build is red since 9:00.<") == 1
    assert "not shown here" not in read
    assert read.count(">note ") == replies
    assert told == ["Understood."]


async def test_an_app_that_slack_caps_reads_the_first_page_and_the_newest() -> None:
    # Each look at the clock takes a second, so that messages come evenly.
    ticks = itertools.count()
    async with SlackEmulator(
        replies_cap=15,
        capped=1.0,
        clock=lambda: time.monotonic() + next(ticks),
        ack_timeout=ACK_TIMEOUT,
    ) as slack:
        # The number is rounded to tens, as the newest that are read vary.
        read, told = await asked(slack, 130, joined=True)
        assert len(slack.calls_of("conversations.replies")) <= 4
    before, _, after = read.partition("<note>About 110 messages of this thread")
    assert "The build is red" in before
    assert ">note 13<" in before
    assert ">note 14<" not in before
    assert ">note 129<" in after
    assert "what began this?" in after
    assert "left out about 110 between" in told[0]


async def test_an_app_that_slack_caps_reads_all_of_three_pages() -> None:
    async with SlackEmulator(replies_cap=15, capped=0.5) as slack:
        read, told = await asked(slack, 40)
    assert "not shown here" not in read
    assert read.count(">note ") == 40
    assert told == ["Understood."]


async def test_a_thread_that_has_outgrown_a_smaller_model_is_answered(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    # So that five short messages fill the window.
    monkeypatch.setattr(long_threads, "BYTES_PER_TOKEN", 0.05)
    place = Scope("slack", office.slack.team, office.general)
    await put_model(office, place, "claude-sonnet-5-5")
    for answer in ("One.", *["So noted."] * 4, "Two.", "Three."):
        office.model.script(answer)
    ts = office.ask("what is the first word?")
    texts = ["One.", *["So noted."] * 4]
    await office.answered(ts, *texts[:1])
    for count in range(2, 6):
        office.ask(f"note {count}. " + "words " * 600, thread_ts=ts)
        await office.answered(ts, *texts[:count])
    await put_model(office, place, "claude-haiku-4-5", ts)
    for number, text in (("6", "Two."), ("7", "Three.")):
        office.ask(f"question {number}", thread_ts=ts)
        await office.slack.until(
            lambda text=text: any(  # type: ignore[misc]
                text in each and "left out" in each for each in office.replies(ts)
            ),
        )
    first, second = (each.messages for each in office.model.requests[-2:])
    assert "what is the first word?" in str(first[0])
    assert "note 2. " not in str(first)
    # The cut stays, so that the cache is read.
    assert second[: len(first)] == first


@pytest.mark.parametrize(("density", "refusals"), [(9, 2), *deep_only((3, 1))])
async def test_a_thread_of_more_tokens_than_estimated_is_cut_until_it_fits(
    api_office: ApiOffice, density: float, refusals: int
) -> None:
    api_office.claude.density = density
    place = Scope("slack", api_office.slack.team, api_office.general)
    await put_model(api_office, place, "claude-haiku-4-5")
    api_office.claude.script("One.", "Two.")
    ts = api_office.slack.say(api_office.alice, api_office.general, "The first word.")
    for number in range(19):
        text = f"note {number} " + "words " * 3_300
        api_office.slack.say(api_office.bob, api_office.general, text, thread_ts=ts)
    for question, answer in (("sum up", "One."), ("and now?", "Two.")):
        api_office.ask(question, thread_ts=ts)
        await api_office.slack.until(
            lambda answer=answer: any(  # type: ignore[misc]
                answer in each and "left out about" in each
                for each in api_office.replies(ts)
            ),
        )
    *refused, first, second = (e.body["messages"] for e in api_office.claude.questions)
    assert len(refused) == refusals
    assert "note 4 " in str(refused[0])
    assert "The first word." in str(first[0])
    assert "note 4 " not in str(first)
    assert "sum up" in str(first)
    # The cut stays: nothing is refused again, and the cache is read.
    assert second[: len(first)] == first


async def test_a_question_that_cannot_be_shortened_says_so(
    api_office: ApiOffice,
) -> None:
    api_office.claude.density = 1_000_000
    ts = api_office.ask("sum up " + "words " * 100)
    (answer,) = await api_office.settled(ts)
    assert "start a new one" in answer
    assert len(api_office.claude.questions) == 1


async def put_model(office: Office, place: Scope, model: str, thread: str = "") -> None:
    where = Scope(place.platform, place.workspace, place.channel, thread)
    change = Change(where, "model", model)
    await office.store.change_settings([change], who=office.alice, now=2.0)


async def sorted_thread(slack: SlackEmulator, replies: int) -> tuple[str, str]:
    """Return the ticket that Claude reads of a thread of so many replies, and the
    result."""
    store, model = MemoryStore(), ScriptedModel([sorted_as()])
    async with running(slack, store, model):
        office = Office(slack, store, model)
        office.general, ts = thread_of(slack, office.alice, replies)
        office.ask("triage", thread_ts=ts)
        await slack.until(lambda: office.replies(ts))
        return office.prompts()[0], office.replies(ts)[0]


async def test_a_thread_of_a_capped_app_is_sorted_page_by_page() -> None:
    async with SlackEmulator(replies_cap=15, capped=0.5) as slack:
        ticket, told = await sorted_thread(slack, 40)
    assert [f"note {n}\n" in ticket for n in (0, 14, 15, 39)] == [True] * 4
    assert "not shown here" not in ticket
    assert "left out" not in told


async def test_what_a_capped_app_does_not_read_is_said() -> None:
    ticks = itertools.count()
    async with SlackEmulator(
        replies_cap=15,
        capped=1.0,
        clock=lambda: time.monotonic() + next(ticks),
        ack_timeout=ACK_TIMEOUT,
    ) as slack:
        ticket, told = await sorted_thread(slack, 130)
    assert "The build is red" in ticket
    assert "messages of this thread are not shown here" in ticket
    assert "note 129" in ticket
    assert "left out about 1" in told


async def test_a_long_thread_is_sorted_with_its_root() -> None:
    async with SlackEmulator() as slack:
        ticket, told = await sorted_thread(slack, 150)
    before, _, after = ticket.partition("\n(About 52 messages of this thread")
    assert "The build is red" in before
    assert "note 0" not in before
    assert "note 52\n" in after
    assert "left out about 52 between" in told
