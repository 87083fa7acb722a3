"""The address of a database on a server."""

import re
from dataclasses import dataclass, field

#: How addresses of PostgreSQL begin.
SCHEMES = ("postgresql://", "postgres://")

# A host with its port, and the name of a database.
_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]*)(?::[0-9]+)?")
_NAME = re.compile(r"[A-Za-z0-9_.%-]*")


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """The address of a database on a PostgreSQL server. As a text it is what people may
    read: without the user, the password and parameters."""

    url: str = field(repr=False)

    def __str__(self) -> str:
        scheme, _, rest = self.url.partition("://")
        where, _, parameters = rest.partition("?")
        shown = where.rpartition("@")[2]
        hosts, _, name = shown.partition("/")
        # Where it is not clear what is part of a password, nothing is shown.
        is_clear = (
            f"{scheme}://" in SCHEMES
            and "@" not in parameters
            and all(_HOST.fullmatch(each) for each in hosts.split(","))
            and _NAME.fullmatch(name)
        )
        return shown.strip("/") if is_clear and shown.strip("/") else "postgresql"
