"""The address of a database on a server."""

from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

#: How addresses of PostgreSQL begin.
SCHEMES = ("postgresql://", "postgres://")


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """Where a database is on a PostgreSQL server, and how to get in. As a text it is
    what people may read: without the password and without parameters, which may hold
    one."""

    url: str = field(repr=False)

    def __str__(self) -> str:
        try:
            parts = urlsplit(self.url)
        except ValueError:
            return "postgresql"
        host = parts.netloc.rpartition("@")[2]
        name = unquote(parts.path).strip("/")
        shown = f"{host}/{name}".rstrip("/") or "postgresql"
        return shown if shown.isprintable() else "postgresql"
