"""The operator's file of MCP servers, and the tokens in the environment."""

import os
from pathlib import Path

import pytest

from bot.cli.variables import read_by_us, unread
from bot.config import Config
from bot.domain.mcp import McpServer
from bot.domain.scope import Scope
from bot.errors import ConfigError
from bot.settings import mcp_file

SECRET = "lin_api_3fA9zQ71kLmN0pRsTuVwXy2B4dE6gH8j"
LINEAR = """
  linear:
    label: Linear
    url: https://mcp.linear.app/mcp
    tools: [search_issues, get_issue, get_issue]
    places: [slack:T0123ABC, "discord:42/7"]
"""
PLAIN = "servers:\n  wiki:\n    url: https://wiki.example/mcp\n    tools: [read]\n"
WIKI = McpServer("wiki", "wiki", "https://wiki.example/mcp", ("read",))


def problems(text: str) -> list[str]:
    servers, found = mcp_file.read(text)
    assert servers == ()
    assert all(each.startswith("mcp.yaml") and each.endswith(".") for each in found)
    assert ".." not in str(found)
    return found


def test_servers_are_read_with_what_they_may_do_and_where() -> None:
    servers, wrong = mcp_file.read(f"{PLAIN}{LINEAR}")
    assert wrong == []
    places = frozenset({Scope("slack", "T0123ABC"), Scope("discord", "42", "7")})
    linear = McpServer(
        *("linear", "Linear", "https://mcp.linear.app/mcp"),
        ("get_issue", "search_issues"),
        places,
    )
    assert servers == (linear, WIKI)
    assert WIKI.is_allowed(Scope("slack", "T9", "C1", "1.1"))
    channel = Scope("discord", "42", "7")
    assert linear.is_allowed(Scope("discord", "42", "7", "1"))
    assert not linear.is_allowed(Scope("discord", "42", "8"))
    # Where its only channel is, it can be chosen for the workspace.
    assert [linear.is_offered(channel.at(each)) for each in type(channel.level)] == [
        *(True, True, True, True)
    ]
    assert not linear.is_offered(Scope("discord", "43"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", 'begin with "servers:"'),
        ("servers: []", 'begin with "servers:"'),
        ("linear: {}", 'begin with "servers:"'),
        ("servers: {}\nmore: {}", 'begin with "servers:"'),
        ("servers: {a: &x 1, b: *x}", "not valid YAML in line 1"),
        ("servers: [", "not valid YAML"),
        ("x" * 100_001, "more than 100,000 characters"),
        (
            "servers:\n" + "".join(f"  s{n}: {{}}\n" for n in range(21)),
            "more than 20 servers",
        ),
        ("servers: {a: text}", "label, url, tools and places"),
        (PLAIN.replace("wiki:", "Wiki:"), "“Wiki”: a name begins"),
        (PLAIN.replace("wiki:", "off:"), "a name begins"),
        (f"{PLAIN}    token: {SECRET}\n", "“token” is not one of label"),
        (f"{PLAIN}    {SECRET}: x\n", "looks like a token or key is not one of"),
        (f"{PLAIN}    label: '<!channel>'\n", "label must have"),
        (f"{PLAIN}    label: '@everyone'\n", "label must have"),
        (f"{PLAIN}    label: [a]\n", "label must have"),
        (f"{PLAIN}    label: {'x' * 41}\n", "label must have"),
        (PLAIN.replace("https", "http"), "begins with https://"),
        (PLAIN.replace("https://wiki.example/mcp", "[x]"), "begins with https://"),
        (PLAIN.replace("/mcp", "/mcp?key=1"), "no user, query, fragment or key"),
        (PLAIN.replace("/mcp", f"/{SECRET}/mcp"), "no user, query, fragment or key"),
        (PLAIN.replace("/mcp", "/mcp#x"), "no user, query, fragment or key"),
        (PLAIN.replace("wiki.e", "a:b@wiki.e"), "no user, query, fragment or key"),
        (PLAIN.replace("wiki.example", "10.0.0.1"), "IP address or a name within"),
        (PLAIN.replace("wiki.example", "wiki.internal"), "within a private network"),
        (PLAIN.replace("[read]", "[]"), "1 to 50 tools"),
        (PLAIN.replace("[read]", "all"), "1 to 50 tools"),
        (PLAIN.replace("[read]", "['*']"), "1 to 50 tools"),
        (PLAIN.replace("    tools: [read]\n", ""), "1 to 50 tools"),
        (f"{PLAIN}    places: []\n", "places must list"),
        (f"{PLAIN}    places: [everywhere]\n", "places must list"),
        (f"{PLAIN}    places: slack:T1\n", "places must list"),
    ],
)
def test_what_cannot_be_used_is_said_in_one_sentence(text: str, words: str) -> None:
    [problem] = problems(text)
    assert words in problem
    assert SECRET not in problem
    assert len(problem) < 300


def test_every_problem_is_named_and_other_servers_are_read() -> None:
    text = f"{PLAIN}  a: {{}}\n  b: text\n"
    servers, wrong = mcp_file.read(text)
    assert servers == (WIKI,)
    assert [each[:12] for each in wrong] == ["mcp.yaml, a:", "mcp.yaml, b:"]


def test_tokens_come_from_the_environment_and_are_not_shown(tmp_path: Path) -> None:
    file = tmp_path / "servers.yaml"
    file.write_text(f"{PLAIN}{LINEAR}")
    env = {
        "THREADKEEP_MCP_FILE": str(file),
        "THREADKEEP_MCP_TOKEN_LINEAR": f" {SECRET} ",
        "THREADKEEP_MCP": "wiki",
    }
    config = Config.from_env(env)
    assert config.mcp.tokens == {"linear": SECRET}
    assert config.operator.servers == config.mcp.servers
    assert config.operator.values["mcp"] == "wiki"
    assert SECRET not in f"{config!r}{config.mcp!r}{config.operator!r}"
    assert unread(env, {}, config.mcp.variables) == []
    assert [each for each in unread(env, {}) if "TOKEN_LINEAR" in each]


def test_a_file_of_this_folder_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert Config.from_env({}).mcp.servers == ()
    (tmp_path / "mcp.yaml").write_text(PLAIN)
    assert Config.from_env({}).mcp.servers == (WIKI,)
    assert os.getcwd() == str(tmp_path)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"THREADKEEP_MCP_FILE": "nowhere.yaml"}, "nowhere.yaml"),
        ({"THREADKEEP_MCP_TOKEN_WIKI": f"Bearer {SECRET}"}, "TOKEN_WIKI has a space"),
        ({"THREADKEEP_MCP_TOKEN_WIKI": "ключ"}, "TOKEN_WIKI has a space"),
        ({"THREADKEEP_MCP": "linear wiki"}, "offers no server linear"),
        ({"THREADKEEP_MCP": "all the servers!"}, "names of servers, or off"),
    ],
)
def test_a_wrong_variable_is_named(
    tmp_path: Path, changed: dict[str, str], words: str
) -> None:
    file = tmp_path / "mcp.yaml"
    file.write_text(PLAIN)
    with pytest.raises(ConfigError) as raised:
        Config.from_env({"THREADKEEP_MCP_FILE": str(file), **changed})
    [problem] = raised.value.problems
    assert words in problem
    assert SECRET not in problem
    assert "THREADKEEP_MCP_FILE" in read_by_us()
