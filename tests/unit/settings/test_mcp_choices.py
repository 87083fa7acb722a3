"""The setting of MCP servers, among those that the operator offers."""

from dataclasses import replace
from datetime import date

import pytest

from bot.domain.mcp import McpServer
from bot.domain.scope import Scope
from bot.errors import Unacceptable
from bot.settings import mcp_choices
from bot.settings.options import BY_NAME
from bot.ui.elements import Choice, Kind, Response
from tests.support.command_harness import CHANNEL, MEMBER, THREAD, WORKSPACE, Office

TODAY = date(2026, 11, 30)
LINEAR = McpServer("linear", "Linear", "https://linear.example/", ("search",))
WIKI = McpServer("wiki", "Wiki", "https://wiki.example/", ("read",))
ELSEWHERE = McpServer(
    *("x", "X", "https://x.example/", ("read",)),
    frozenset({Scope("fake", "w", "other")}),
)
SERVERS = (LINEAR, WIKI, ELSEWHERE)


def test_a_value_is_read_as_names_in_order() -> None:
    read = BY_NAME["mcp"].read
    assert read(" Wiki, linear wiki", TODAY) == "linear wiki"
    assert read("off", TODAY) == "off"
    for wrong in ("", "a off", "a/b", " ".join(f"s{n}" for n in range(21)), "ü"):
        with pytest.raises(Unacceptable, match="names of servers, or off"):
            read(wrong, TODAY)


def test_an_admin_chooses_among_what_is_offered_there() -> None:
    assert mcp_choices.choices(SERVERS, CHANNEL) == (
        Choice("off", "off"),
        Choice("linear", "Linear"),
        Choice("wiki", "Wiki"),
        Choice("linear wiki", "Linear, Wiki"),
    )
    # A server that is allowed in one of its channels can be chosen for a workspace.
    assert mcp_choices.choices(SERVERS, WORKSPACE)[-1].value == "linear wiki x"
    # Where nothing is offered, the form still opens: an empty choice is refused.
    assert mcp_choices.choices((), CHANNEL) == (Choice("off", "off"),)


def test_only_what_all_agree_on_is_active() -> None:
    def active(place: Scope, *values: str) -> list[str]:
        return [each.name for each in mcp_choices.active(SERVERS, place, values)]

    assert active(THREAD, "linear wiki") == ["linear", "wiki"]
    assert active(THREAD, "linear wiki", "wiki") == ["wiki"]
    assert active(THREAD, "linear", "off") == []
    assert active(THREAD, "x") == []
    assert active(Scope("fake", "w", "other", "t"), "x") == ["x"]
    assert active(THREAD, "gone") == []


async def test_it_is_set_in_the_chat() -> None:
    office = Office(servers=SERVERS)
    form = await office.form("edit", option="mcp")
    [field, running] = form.fields
    values = [choice.value for choice in field.choices]
    assert values == ["inherit", "off", "linear", "wiki", "linear wiki"]
    assert running.name == "running"
    told = await office.send(form, {"mcp": "wiki"})
    assert "MCP servers" in told.text
    assert (await office.policy())["mcp"] == "wiki"
    await office.type("set mcp linear, wiki")
    assert (await office.policy())["mcp"] == "linear wiki"
    # The form keeps what was typed, and a channel can have none of the workspace's.
    await office.give("set", option="mcp", value="wiki", where="workspace")
    await office.type("set mcp off")
    policy = await office.policy()
    assert policy["mcp"] == "off"
    assert office.authority.servers(policy) == ()
    there = await office.policy(Scope("fake", "w", "elsewhere"))
    assert office.authority.servers(there) == (WIKI,)


async def test_more_servers_than_a_menu_holds_are_typed() -> None:
    many = tuple(replace(WIKI, name=f"a_server_with_a_long_name_{n}") for n in range(4))
    office = Office(servers=many)
    [field, _] = (await office.form("edit", option="mcp")).fields
    assert len(field.choices) == 2 + len(many)
    value = " ".join(each.name for each in many)
    await office.type(f"set mcp {value}")
    form = await office.form("edit", option="mcp")
    [field, _] = form.fields
    assert (field.kind, field.value, field.choices) == (Kind.LINE, value, ())
    told = await office.send(form, {"mcp": many[0].name})
    assert "Saved" in told.text
    assert (await office.policy())["mcp"] == many[0].name


async def test_a_form_keeps_several_that_were_typed() -> None:
    office = Office(servers=(*SERVERS, replace(WIKI, name="notes")))
    await office.type("set mcp linear, wiki")
    form = await office.form("edit", option="mcp")
    [field, _] = form.fields
    assert field.value == "linear wiki"
    assert field.choices[-1] == Choice("linear wiki", "linear, wiki")
    await office.send(form, {"running": "yes"})
    assert (await office.policy())["mcp"] == "linear wiki"


async def test_what_is_not_offered_is_refused() -> None:
    office = Office(servers=SERVERS)
    told = await office.give("set", option="mcp", value="x linear")
    assert isinstance(told, Response)
    assert told.text == (
        "There is no server “x” here. The operator offers `linear`, `wiki`."
    )
    assert (await office.policy())["mcp"] == "off"
    denied = await office.give("set", MEMBER, option="mcp", value="linear")
    assert isinstance(denied, Response)
    assert "only admins" in denied.text


async def test_without_servers_nobody_sees_the_setting() -> None:
    office = Office(servers=SERVERS)
    await office.type("set mcp linear")
    assert "MCP servers" in await office.type("settings")
    office = Office(office.store, servers=(ELSEWHERE,))
    assert "MCP servers" not in await office.type("settings")
    told = await office.give("set", option="mcp", value="linear")
    assert isinstance(told, Response)
    assert told.text == "The operator offers no MCP servers here."


async def test_a_server_that_is_gone_from_the_file_is_said() -> None:
    office = Office(servers=SERVERS)
    await office.type("set mcp linear, wiki")
    later = Office(office.store, servers=(WIKI,))
    shown = await later.type("settings")
    assert "Not used: The operator offers no server linear." in shown
    assert later.authority.servers(await later.policy()) == (WIKI,)
