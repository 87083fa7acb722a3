"""Orders in a file, a page or a quoted message have no effect beyond the answer. The
scripted model obeys them exactly."""

import asyncio
import json
import re
import socket
import sqlite3
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bot.domain.scope import Scope
from bot.domain.setting import Change
from storage.opening import open_store
from storage.store import DatabaseStore
from tests.adapters.discord.test_admin import Town
from tests.adapters.discord.test_admin import fresh_town as town
from tests.adapters.slack.conftest import ApiOffice, api_office
from tests.emulators.claude.emulator import ClaudeEmulator
from tests.emulators.claude.reply import Search, Step
from tests.security.injections import Injection, filled, obeying
from tests.security.public_texts import lies
from tests.security.test_tags import holds_tag
from tests.support.deep import share

__all__ = ["api_office", "town"]

# Discord takes ten files with a message.
AT_ONCE = 10
SECRET = "the merger with Initech"

#: The tables that a question, what it quotes, and its answer grow; all others stay as
#: they are.
GROWING = {
    *("threads", "turns", "messages", "replies", "charges", "accounts", "kept"),
    *("file_contents", "message_files", "receipts", "names", "summaries", "holders"),
    *("search_places", "search_words", "search_added", "search_removed"),
    "read_counts",
    # The outage of the process itself: Discord's SDK takes a session to begin two
    # seconds after its last guild came.
    "outages",
}


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[DatabaseStore]:
    """A file, to look at what is stored in it."""
    async with open_store(tmp_path / "threadkeep.db") as opened:
        yield opened


_MESSAGE = re.compile(
    r'<message author="([^"<]*)" id="(\w+)" time="[\d :-]+">(.*?)</message>', re.DOTALL
)
_NOTE = re.compile(r"<note>It is [\w ,:]+ UTC\.</note>")
_HEADING = re.compile(r'Image attached to a message below: "[^"\n]*"')
_MARK = re.compile(r"\[(\d{3})\]")
_LINE = re.compile(r'\(the file "[^"\n]*" is not shown: [\w ]+\)')


@pytest.fixture
def reached(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The addresses that are connected to."""
    hosts: set[str] = set()
    connect = socket.socket.connect

    def noted(self: socket.socket, address: Any) -> None:
        hosts.add(str(address[0]))
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", noted)
    return hosts


def at_rest(database: Path) -> dict[str, list[Any]]:
    """Return the rows of all tables that no question changes."""
    with closing(sqlite3.connect(database)) as db:
        found = db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        names = {name for (name,) in found}
        assert names > GROWING
        return {
            name: db.execute(f'SELECT * FROM "{name}" ORDER BY 1, 2').fetchall()
            for name in sorted(names - GROWING)
            if not name.startswith("_")
        }


def changed(
    before: Mapping[str, list[Any]], now: Mapping[str, list[Any]]
) -> dict[str, tuple[list[Any], list[Any]]]:
    """Return the tables that are not as they were: their rows before and now."""
    return {
        name: (before[name], now[name]) for name in now if now[name] != before[name]
    }


async def answered(store: DatabaseStore, claude: ClaudeEmulator, count: int) -> None:
    """Wait until Claude was asked so often, and all is delivered."""
    await claude.until(lambda: len(claude.questions) >= count)
    async with asyncio.timeout(60):
        while await store.open_threads():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def grouped(
    injections: Sequence[Injection], most: int = AT_ONCE
) -> list[Sequence[Injection]]:
    starts = range(0, len(injections), most)
    return [injections[at : at + most] for at in starts]


def files(injections: Sequence[Injection]) -> dict[str, bytes]:
    return {each.name: each.text.encode() for each in injections}


def plainly_named(files: dict[str, bytes]) -> dict[str, bytes]:
    """The emulator's addresses of files hold the name as it is."""
    return {re.sub(r"[^\w .-]", "_", name): data for name, data in files.items()}


def obedient(injections: list[Injection]) -> Any:
    """Return an answer that does what the newest messages and their files demand."""

    def answer(body: dict[str, Any]) -> Sequence[Step]:
        text = json.dumps(body["messages"][-1], ensure_ascii=False)
        return [obeying(injections, text)]

    return answer


def found_pages(injections: Sequence[Injection]) -> Search:
    """Return a search that finds a page for each, and an answer that cites all."""
    pages = [
        (each.text, f"https://evil.example/{nth}")
        for nth, each in enumerate(injections)
    ]
    return Search("news", pages, "As I read. ")


def assert_data(body: dict[str, Any], authors: set[str]) -> list[str]:
    """Check that every text of the request stands in a document or in the tag of its
    author, and that none of it reads as a tag of ours; return the documents."""
    documents = []
    for message in body["messages"]:
        if message["role"] == "assistant":
            continue
        content = message["content"]
        blocks: list[dict[str, Any]] = [{"type": "text", "text": content}]
        blocks = blocks if isinstance(content, str) else content
        for block in blocks[:-1]:
            if block["type"] == "text":
                line = block["text"]
                assert _HEADING.fullmatch(line) or _LINE.fullmatch(line), line
            elif block["type"] == "document":
                documents.append(block["source"]["data"])
                assert not holds_tag(block["source"]["data"])
                assert re.fullmatch(r'"[^"\n<]*"', block["title"]), block["title"]
        said = blocks[-1]["text"]
        for name, _, text in _MESSAGE.findall(said):
            assert name in authors, name
            assert not holds_tag(text), text
        assert _NOTE.sub("", _MESSAGE.sub("", said)).strip() == "", said
    return documents


def assert_requests(
    bodies: Sequence[dict[str, Any]],
    groups: Sequence[Sequence[Injection]],
    authors: set[str],
) -> None:
    """The first requests have the files of one of `groups` each, and no others."""
    first, read = bodies[0], []
    for body in bodies:
        documents = assert_data(body, authors)
        read.append(_MARK.findall("\n".join(documents)))
        assert body["system"] == first["system"]
        for name in body.keys() - {"messages", "metadata"}:
            assert body[name] == first[name], name
        assert SECRET not in json.dumps(body)
    asked = sorted([_MARK.findall(each.text)[-1] for each in some] for some in groups)
    assert sorted(read[: len(groups)]) == asked


async def test_on_slack(
    api_office: ApiOffice, tmp_path: Path, reached: set[str]
) -> None:
    office = api_office
    slack, claude, store = office.slack, office.claude, office.store
    olga = slack.add_user("Olga", admin=True)
    other, general = slack.add_channel("other"), office.general
    slack.say(office.bob, other, f"{slack.mention} {SECRET}")
    await answered(store, claude, 1)
    place = Scope("slack", slack.team, general)
    change = Change(place, "web_search", "on")
    await store.change_settings([change], who=olga, now=1.0)
    injections = filled(
        bot=slack.mention,
        alice=office.alice,
        admin=olga,
        general=general,
        other=other,
    )
    # Files are read in one way on both platforms; Discord has the others.
    groups = share(grouped(injections), 1, 2)
    calls, before = len(slack.calls), at_rest(tmp_path / "threadkeep.db")
    claude.always(obedient(injections))
    said = f"{slack.mention} What do these say?"
    threads = [slack.say(olga, general, said, files=files(g)) for g in groups]
    await answered(store, claude, count := len(groups) + 1)
    # Said in the thread, forwarded to it, and found on pages.
    unaddressed = [each.text for each in injections if slack.mention not in each.text]
    thread = threads[0]
    slack.say(office.bob, general, "\n".join(unaddressed), thread_ts=thread)
    await answered(store, claude, count := count + 1)
    forwarded = [
        {"is_share": True, "author_name": each.name, "text": each.text}
        for each in injections[:AT_ONCE]
    ]
    claude.script([found_pages(injections)])
    said = f"{slack.mention} And this?"
    slack.say(olga, general, said, thread_ts=thread, attachments=forwarded)
    await answered(store, claude, count := count + 1)
    await slack.until(lambda: slack.settled)

    assert (slack.pings, slack.previews) == ([], [])
    assert changed(before, at_rest(tmp_path / "threadkeep.db")) == {}
    assert len(claude.questions) == count
    # A page is fetched twice, since Slack's own page for signing in is one.
    assert len({path for path, _ in slack.files.served}) == sum(map(len, groups))
    assert reached <= {"127.0.0.1", "::1"}
    assert not slack.ephemerals(olga)
    assert all("done." in str(slack.thread(general, each)) for each in threads)
    for call in slack.calls[calls:]:
        where = call.arguments.get("channel") or call.arguments.get("channel_id")
        assert where in (None, general), call
        assert call.arguments.get("thread_ts") in (None, *threads), call
    bodies = [each.body for each in claude.questions[1:]]
    assert_requests(bodies, groups, {"Olga", "Bob"})


async def test_on_discord(town: Town, tmp_path: Path, reached: set[str]) -> None:
    discord, claude, store = town.discord, town.claude, town.store
    town.mention(SECRET, town.random)
    await answered(store, claude, 1)
    change = Change(town.channel, "web_search", "on")
    await store.change_settings([change], who=town.ada, now=1.0)
    injections = filled(
        bot=discord.mention,
        alice=town.alice,
        admin=town.ada,
        general=town.general,
        other=town.random,
    )
    groups = share(grouped(injections), 0, 2)
    calls, before = len(discord.calls), at_rest(tmp_path / "threadkeep.db")
    claude.always(obedient(injections))
    said = f"{discord.mention} What do these say?"
    asked = [
        discord.say(town.ada, town.general, said, files=plainly_named(files(some)))
        for some in groups
    ]
    await answered(store, claude, count := len(groups) + 1)
    threads = {discord.thread_of(each) for each in asked}
    # Forwarded, and found on pages.
    thread = discord.thread_of(asked[-1])
    for each in share(injections, 0, 12):
        words = each.text.replace(discord.mention, "")
        said = discord.say(town.bob, town.random, words)
        discord.forward(town.ada, said, thread)
    await discord.until(lambda: discord.settled)
    claude.script([found_pages(injections)])
    discord.say(town.ada, thread, f"{discord.mention} And this?")
    await answered(store, claude, count + 1)
    await discord.until(lambda: discord.settled)

    assert (discord.pings, discord.previews) == ([], [])
    assert changed(before, at_rest(tmp_path / "threadkeep.db")) == {}
    assert len(discord.files.served) == sum(map(len, groups))
    assert reached <= {"127.0.0.1", "::1"}
    assert set(discord.threads(town.general)) == threads
    assert all("done." in str(discord.messages(each)) for each in threads)
    for call in discord.calls[calls:]:
        in_thread = any(each in call.path for each in (*threads, *asked))
        assert call.method == "GET" or in_thread, call
    for message in (m for each in threads for m in discord.messages(each)):
        assert not message.bot or lies(message.text) == [], message.text
    bodies = [each.body for each in claude.questions[1:]]
    assert_requests(bodies, groups, {"Ada", "Bob"})
