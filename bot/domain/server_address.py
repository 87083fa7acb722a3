"""The address of a database on a server."""

import re
from dataclasses import dataclass, field

#: The prefixes of PostgreSQL URLs.
SCHEMES = ("postgresql://", "postgres://")

# A host with an optional port, and the name of a database.
_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]*)(?::[0-9]+)?")
_NAME = re.compile(r"[A-Za-z0-9_.%-]*")


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """The address of a database on a PostgreSQL server.

    `str()` returns a form that is safe to show: without user, password and parameters.
    """

    url: str = field(repr=False)

    def __str__(self) -> str:
        scheme, _, rest = self.url.partition("://")
        where, _, parameters = rest.partition("?")
        shown = where.rpartition("@")[2]
        hosts, _, name = shown.partition("/")
        # If any part might belong to a password, show nothing of the URL.
        is_clear = (
            f"{scheme}://" in SCHEMES
            and "@" not in parameters
            and all(_HOST.fullmatch(each) for each in hosts.split(","))
            and _NAME.fullmatch(name)
        )
        return shown.strip("/") if is_clear and shown.strip("/") else "postgresql"
