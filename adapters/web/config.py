"""Configuration of the web server, from the environment."""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass

from bot.errors import ConfigError
from bot.messages import check as check_messages
from bot.messages import config as messages
from bot.text import addresses
from bot.text.redaction import quote

VARIABLE = "THREADKEEP_WEB"
PROXY = "THREADKEEP_WEB_TRUSTED_PROXY"
READERS = "THREADKEEP_PRIVATE_READERS"
OFF = "off"
DEFAULT_HOST, DEFAULT_PORT = "127.0.0.1", 8080

_NAME = re.compile(r"[a-z0-9.-]+(?::[0-9]+)?")


@dataclass(frozen=True, slots=True)
class WebConfig:
    """The address of the web server."""

    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
    #: Whether the operator chose the address: then no other port is tried.
    is_chosen: bool = False
    #: The host names under which an authenticating proxy forwards requests.
    proxies: frozenset[str] = frozenset()
    #: The names of the tokens whose owners may read threads of private channels in the
    #: console; "local" stands for the user of a console that is open to this machine.
    private_readers: frozenset[str] = frozenset()
    #: Whether Claude answers, rather than the offline model.
    has_key: bool = False

    @property
    def is_loopback(self) -> bool:
        """True if only programs on this machine can reach the address."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "WebConfig":
        """Read `env`. Raises ConfigError that names every problem at once."""
        problems = []
        written = env.get(VARIABLE, "").strip()
        found = cls()
        if written and written.lower() != OFF:
            address = addresses.listening(written)
            if address is None:
                problems.append(messages.not_an_address(written=quote(written)))
            else:
                found = cls(address.host, address.port, is_chosen=True)
        names = env.get(PROXY, "").lower().replace(",", " ").split()
        problems += [
            messages.not_a_host_name(written=quote(each))
            for each in names
            if not _NAME.fullmatch(each)
        ]
        if problems:
            raise ConfigError(*problems)
        has_key = bool(env.get("ANTHROPIC_API_KEY", "").strip())
        readers = env.get(READERS, "").lower().replace(",", " ").split()
        return cls(
            *(found.host, found.port, found.is_chosen, frozenset(names)),
            private_readers=frozenset(readers),
            has_key=has_key,
        )


#: Reads the configuration. Every platform's module has a function of this name.
read = WebConfig.from_env

#: The web server's name in a check, and the messages for a server that is off and on.
REPORTED = (check_messages.WEB, check_messages.WEB_NOT_SET, check_messages.WEB_SET)


def is_configured(env: Mapping[str, str]) -> bool:
    """Return whether the operator chose an address."""
    return env.get(VARIABLE, "").strip().lower() not in ("", OFF)


def is_off(env: Mapping[str, str]) -> bool:
    """Return whether the operator turned the web server off, even if no platform is
    set."""
    return env.get(VARIABLE, "").strip().lower() == OFF
