"""Neither the results of an MCP server nor the descriptions of its tools have an effect
beyond the answer. The scripted model obeys them exactly."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bot.claude.client import connect as connect_claude
from bot.context import prompt
from bot.domain.mcp import Listing, McpServer
from bot.domain.scope import Scope
from bot.domain.setting import Change
from storage.opening import open_store
from storage.store import DatabaseStore
from tests.emulators.claude.emulator import ClaudeEmulator
from tests.emulators.claude.mcp_servers import Server
from tests.emulators.claude.reply import Ask, Step, Stop
from tests.emulators.discord.emulator import DiscordEmulator
from tests.emulators.slack.emulator import SlackEmulator
from tests.security.injections import Injection, filled, obeying
from tests.security.public_texts import lies
from tests.security.test_injections import (
    answered,
    at_rest,
    changed,
    grouped,
    reached,
)
from tests.support.deep import share
from tests.support.process import OPERATOR, running

__all__ = ["reached"]

#: The calls of a tool in one answer.
AT_ONCE = 30

WIKI = McpServer("wiki", "Wiki", "https://wiki.example/mcp", ("read",))
OPERATOR_OF_WIKI = replace(OPERATOR, servers=(WIKI,))


def described(injections: Sequence[Injection]) -> Listing:
    """Return a tool listing whose description holds all injections."""
    text = "\n".join(each.text for each in injections)
    tool = {"name": "read", "description": text, "input_schema": {"type": "object"}}
    return Listing(WIKI.name, WIKI.url, json.dumps([tool]))


async def furnish(
    store: DatabaseStore, claude: ClaudeEmulator, injections: Sequence[Injection]
) -> None:
    """Let the wiki be known, which describes its tool so."""
    listing = described(injections)
    claude.mcp[WIKI.url] = Server(json.loads(listing.tools))
    await store.pin_listing(listing)


async def switched_on(store: DatabaseStore, place: Scope, who: str) -> None:
    await store.change_settings([Change(place, "mcp", "wiki")], who=who, now=1.0)


def returned(injections: Sequence[Injection]) -> list[Step]:
    """Calls that return each of them, the last of which is answered in another
    request."""
    calls: list[Step] = [Ask("wiki", "read", "", each.text) for each in injections]
    return [*calls, Stop("pause_turn")]


def obedient(injections: list[Injection]) -> Callable[[dict[str, Any]], Step]:
    """Return an answer that does what the newest results demand, which came before."""

    def answer(body: dict[str, Any]) -> Step:
        # As they were returned: a name of a file is none of it.
        results = json.dumps(body["messages"][-1], ensure_ascii=False)
        return obeying(injections, results)

    return answer


def assert_results(bodies: Sequence[dict[str, Any]], some: Sequence[Injection]) -> None:
    """Check that tool results occur only in the result blocks of the answer that called
    the tool, and afterwards at most in Claude's text; nothing else of a request
    differs."""
    first = bodies[0]
    marks = [each.text[-5:] for each in some]
    seen = 0
    for body in bodies:
        for name in body.keys() - {"messages", "metadata", "max_tokens"}:
            assert body[name] == first[name], name
        [server] = body["mcp_servers"]
        assert server == {"type": "url", "url": WIKI.url, "name": "wiki"}
        [tools] = body["tools"]
        assert [each["name"] for each in tools["tools"]] == ["read"]
        for message in body["messages"]:
            content = message["content"]
            blocks = content if isinstance(content, list) else []
            results = [b for b in blocks if b["type"] == "mcp_tool_result"]
            others = [b for b in blocks if b["type"] != "mcp_tool_result"]
            seen += len(results)
            if message["role"] == "user":
                assert not any(mark in json.dumps(content) for mark in marks)
            assert results == [] or message is body["messages"][-1]
            assert not any(mark in json.dumps(others) for mark in marks if results)
    assert seen == len(some)


async def test_on_slack(tmp_path: Path, reached: set[str]) -> None:
    async with (
        SlackEmulator() as slack,
        ClaudeEmulator() as claude,
        open_store(tmp_path / "threadkeep.db") as store,
        connect_claude(claude.api_key, claude.base_url) as model,
    ):
        olga, alice = slack.add_user("Olga", admin=True), slack.add_user("Alice")
        general, other = slack.add_channel("general"), slack.add_channel("other")
        injections = filled(
            bot=slack.mention, alice=alice, admin=olga, general=general, other=other
        )
        await furnish(store, claude, injections)
        async with running(slack, store, model, operator=OPERATOR_OF_WIKI):
            await switched_on(store, Scope("slack", slack.team, general), olga)
            groups = grouped(injections, AT_ONCE)
            before, calls = at_rest(tmp_path / "threadkeep.db"), len(slack.calls)
            claude.always(obedient(injections))
            thread = ""
            for count, some in enumerate(groups, 1):
                claude.script(returned(some))
                said = f"{slack.mention} What is there?"
                asked = slack.say(olga, general, said, thread_ts=thread or None)
                thread = thread or asked
                await answered(store, claude, 2 * count)
            await slack.until(lambda: slack.settled)

        assert (slack.pings, slack.previews) == ([], [])
        assert changed(before, at_rest(tmp_path / "threadkeep.db")) == {}
        assert len(claude.questions) == 2 * len(groups)
        assert claude.mcp[WIKI.url].lists == 0
        assert reached <= {"127.0.0.1", "::1"}
        assert not slack.ephemerals(olga)
        shown = "".join(each.text for each in slack.thread(general, thread))
        assert shown.count(f"Asked Wiki: read ×{AT_ONCE}.") == len(groups) - 1
        for call in slack.calls[calls:]:
            where = call.arguments.get("channel") or call.arguments.get("channel_id")
            assert where in (None, general), call
            assert call.arguments.get("thread_ts") in (None, thread), call
        bodies = [each.body for each in claude.questions]
        assert_results(bodies, injections)
        assert bodies[0]["system"][0]["text"].endswith(prompt.TOOLS)


async def test_on_discord(tmp_path: Path, reached: set[str]) -> None:
    async with (
        DiscordEmulator() as discord,
        ClaudeEmulator() as claude,
        open_store(tmp_path / "threadkeep.db") as store,
        connect_claude(claude.api_key, claude.base_url) as model,
    ):
        ada, alice = discord.add_user("Ada", admin=True), discord.add_user("Alice")
        general, random = discord.add_channel("general"), discord.add_channel("random")
        injections = filled(
            bot=discord.mention, alice=alice, admin=ada, general=general, other=random
        )
        await furnish(store, claude, injections)
        # Results of tools go one way on both platforms; Slack has all of them.
        groups = share(grouped(injections), 0, 3)
        async with running(discord, store, model, operator=OPERATOR_OF_WIKI):
            await switched_on(store, Scope("discord", discord.guild, general), ada)
            before = at_rest(tmp_path / "threadkeep.db")
            claude.always(obedient(injections))
            asked = []
            for count, some in enumerate(groups, 1):
                claude.script(returned(some))
                said = f"{discord.mention} What is there?"
                asked.append(discord.say(ada, general, said))
                await answered(store, claude, 2 * count)
            await discord.until(lambda: discord.settled)

        assert (discord.pings, discord.previews) == ([], [])
        assert changed(before, at_rest(tmp_path / "threadkeep.db")) == {}
        assert len(claude.questions) == 2 * len(groups)
        assert reached <= {"127.0.0.1", "::1"}
        threads = {discord.thread_of(each) for each in asked}
        assert set(discord.threads(general)) == threads
        for message in (m for each in threads for m in discord.messages(each)):
            assert not message.bot or lies(message.text) == [], message.text
        played = [each for some in groups for each in some]
        assert_results([each.body for each in claude.questions], played)
