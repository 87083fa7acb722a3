"""Reads the operator's file of remote MCP servers.

Rule: a problem quotes nothing that may be a token.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bot.domain.mcp import McpServer
from bot.domain.scope import Scope
from bot.errors import ConfigError, Unacceptable
from bot.messages import config as config_messages
from bot.messages import mcp as messages
from bot.runtime.text_files import read_text
from bot.settings import hosts
from bot.text import addresses
from bot.text.redaction import is_credential, quote

VARIABLE = "THREADKEEP_MCP_FILE"
#: The default file, which need not exist; the variable names another.
FILE = Path("mcp.yaml")
#: The prefix of the variable with a server's token; the server's name follows.
TOKEN_PREFIX = "THREADKEEP_MCP_TOKEN_"

MOST_CHARS = 100_000
MOST_NODES = 5_000
MOST_SERVERS = 20
MOST_TOOLS = 50

_KEYS = ("label", "url", "tools", "places")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
# A label contains no markup, mentions or directional characters.
_LABEL = re.compile(r"[^\W_](?:[^\W_]|[ &'()+.-]){0,39}")
_TOOL = re.compile(r"[A-Za-z0-9_.-]{1,128}")
_PLACE = re.compile(r"([a-z]{2,20}):([A-Za-z0-9@_-]{1,40})(?:/([A-Za-z0-9_-]{1,40}))?")
_TOKEN = re.compile(r"[!-~]+")

#: The value of the option for no servers.
OFF = "off"


@dataclass(frozen=True, slots=True)
class McpConfig:
    """The remote MCP servers of the operator."""

    servers: tuple[McpServer, ...] = ()
    #: The tokens by the server's name.
    tokens: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def variables(self) -> frozenset[str]:
        """The environment variables of the tokens."""
        return frozenset(token_variable(each.name) for each in self.servers)


def token_variable(name: str) -> str:
    """Return the environment variable of the token of the server `name`."""
    return f"{TOKEN_PREFIX}{name.upper()}"


def load(env: Mapping[str, str], problems: list[str]) -> McpConfig:
    """Return the servers in the file that `env` names, and their tokens. Add a sentence
    to `problems` for each server, token or file that cannot be used."""
    named = env.get(VARIABLE, "").strip()
    path = Path(named) if named else FILE
    if not named and not path.exists():
        return McpConfig()
    if is_credential(named) or is_credential(path.stem) or not named.isprintable():
        # Messages quote the path, and others on the machine can see it.
        problems.append(config_messages.misplaced_credential(variable=VARIABLE))
        return McpConfig()
    try:
        text = read_text(str(path))
    except ConfigError as error:
        problems.append(str(error))
        return McpConfig()
    servers, wrong = read(text, path)
    problems += wrong
    tokens = {}
    for server in servers:
        variable = token_variable(server.name)
        if token := env.get(variable, "").strip():
            if _TOKEN.fullmatch(token):
                tokens[server.name] = token
            else:
                problems.append(messages.bad_token(variable=variable))
    return McpConfig(servers, tokens)


def read(text: str, file: object = FILE) -> tuple[tuple[McpServer, ...], list[str]]:
    """Parse the YAML `text` of `file`; return the servers that can be used, and one
    sentence for each problem."""
    problem = ""
    found: object = None
    if len(text) > MOST_CHARS:
        problem = messages.too_large(most=MOST_CHARS)
    else:
        # Imported here: without a file, no YAML parser is needed.
        documents = import_module("bot.text.documents")
        try:
            found = documents.parse(text, most_nodes=MOST_NODES)
        except documents.NoDocument as error:
            problem = messages.not_yaml(where=error.where, why=error.why)
    named = found.get("servers") if isinstance(found, dict) else None
    if not problem and (not isinstance(named, dict) or len(found) != 1):  # type: ignore[arg-type]
        problem = messages.NO_SERVERS
    elif isinstance(named, dict) and len(named) > MOST_SERVERS:
        problem = messages.too_many(most=MOST_SERVERS)
    if problem or not isinstance(named, dict):
        return (), [messages.of_file(file=file, problem=problem)]
    servers, problems = [], []
    for name, node in named.items():
        try:
            servers.append(_server(str(name), node))
        except Unacceptable as error:
            shown = quote(str(name)) if not _NAME.fullmatch(str(name)) else str(name)
            problem = error.user_text.rstrip(".")
            problems.append(
                messages.of_server(file=file, server=shown, problem=problem)
            )
    return tuple(sorted(servers, key=lambda each: each.name)), problems


def _server(name: str, node: object) -> McpServer:
    """Return the server `name`. Raises Unacceptable."""
    if not _NAME.fullmatch(name) or name == OFF:
        raise Unacceptable(messages.NAME_IT)
    if not isinstance(node, dict):
        raise Unacceptable(messages.NOT_A_MAPPING)
    if strange := sorted(map(str, set(node) - set(_KEYS))):
        known = ", ".join(_KEYS)
        raise Unacceptable(messages.unknown_key(key=quote(strange[0]), known=known))
    label = node.get("label", name)
    if not isinstance(label, str) or not _LABEL.fullmatch(label):
        raise Unacceptable(messages.LABEL)
    tools = _texts(node.get("tools"), _TOOL, messages.TOOLS)
    if not 1 <= len(tools) <= MOST_TOOLS:
        raise Unacceptable(messages.TOOLS)
    places = _texts(node.get("places", []), _PLACE, messages.PLACES)
    if "places" in node and not places:
        raise Unacceptable(messages.PLACES)
    return McpServer(
        name,
        str(label),
        _url(node.get("url")),
        tuple(sorted(set(tools))),
        frozenset(map(_place, places)),
    )


def _texts(node: object, form: re.Pattern[str], problem: str) -> list[str]:
    """Return the texts of a list. Raises Unacceptable with `problem` for other
    values."""
    texts = node if isinstance(node, list) else []
    fit = all(isinstance(each, str) and form.fullmatch(each) for each in texts)
    if not isinstance(node, list) or not fit:
        raise Unacceptable(problem)
    return [str(each) for each in texts]


def _place(text: str) -> Scope:
    found = _PLACE.fullmatch(text)
    assert found is not None
    return Scope(found[1], found[2], found[3] or "")


def _url(node: Any) -> str:
    """Return the URL `node`. Raises Unacceptable."""
    if not isinstance(node, str) or addresses.problem("url", node, ("https",)):
        raise Unacceptable(messages.URL)
    parts = urlsplit(node)
    has_token = any(is_credential(each) for each in parts.path.split("/") if each)
    if parts.query or parts.fragment or "@" in parts.netloc or "?" in node or has_token:
        raise Unacceptable(messages.URL_PARTS)
    try:
        hosts.host(parts.hostname or "")
    except Unacceptable as error:
        raise Unacceptable(messages.private_host(problem=error.user_text)) from None
    return str(node)
