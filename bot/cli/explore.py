"""`threadkeep explore`: Datasette on the database, read-only and on loopback only.

Rule: unless the operator asks for texts, no page and no file that Datasette opens
contains people's words. It serves a copy of the database without those columns.
"""

import asyncio
import contextlib
import errno
import importlib.util
import socket
import sys
import tempfile
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from pathlib import Path
from typing import Any

import click

from bot.cli.environment import run
from bot.cli.platforms import load_module
from bot.config import Config, read_environment
from bot.domain.server_address import ServerAddress
from bot.errors import ConfigError
from bot.messages import command_help, postgres
from bot.messages import explore as messages
from bot.runtime import terminal
from storage.database import open_beside
from storage.exploration import copy_numbers

HOST = "127.0.0.1"
PORT = 8001

#: Queries by name, each with its title, its description and the SQL.
QUERIES = {
    "dear_threads": (
        *(messages.DEAR_THREADS, messages.DEAR_THREADS_ABOUT),
        """
        SELECT platform, workspace, channel, thread, count(*) AS turns,
          round(sum(cost), 4) AS usd, sum(input + cache_write_5m + cache_write_1h)
          AS uncached_input, sum(cache_read) AS from_cache, sum(output) AS output
        FROM turns JOIN threads ON threads.id = thread_id
        GROUP BY thread_id ORDER BY usd DESC LIMIT 100
        """,
    ),
    "cache_misses": (
        *(messages.CACHE_MISSES, messages.CACHE_MISSES_ABOUT),
        """
        SELECT datetime(turns.ended_at, 'unixepoch') AS ended, platform, channel,
          thread, turns.key, turns.model, turns.input, turns.cache_write_5m,
          turns.cache_write_1h,
          round(turns.started_at - before.ended_at) AS seconds_since
        FROM turns JOIN threads ON threads.id = turns.thread_id
          JOIN turns AS before ON before.id = (
            SELECT max(id) FROM turns AS earlier
            WHERE earlier.thread_id = turns.thread_id AND earlier.id < turns.id
              AND earlier.ended = 'done'
          )
        WHERE turns.cache_read = 0 AND turns.input > 0
          AND turns.started_at - before.ended_at < 300
        ORDER BY turns.ended_at DESC LIMIT 200
        """,
    ),
    "refusals": (
        *(messages.REFUSALS, messages.REFUSALS_ABOUT),
        """
        SELECT datetime(ended_at, 'unixepoch') AS ended, platform, channel, thread, key,
          model, reason, round(cost, 4) AS usd
        FROM turns JOIN threads ON threads.id = thread_id
        WHERE ended = 'refused' ORDER BY ended_at DESC LIMIT 200
        """,
    ),
    "slow_answers": (
        *(messages.SLOW_ANSWERS, messages.SLOW_ANSWERS_ABOUT),
        """
        SELECT datetime(ended_at, 'unixepoch') AS ended, platform, channel, thread, key,
          model, output, round(started_at - turns.created_at, 1) AS waited,
          round(first_text_at - turns.created_at, 1) AS first_words,
          round(coalesce(delivered_at, ended_at) - turns.created_at, 1) AS seconds
        FROM turns JOIN threads ON threads.id = thread_id
        WHERE ended = 'done' ORDER BY seconds DESC LIMIT 200
        """,
    ),
}

SETTINGS = {
    "allow_download": False,
    "allow_csv_stream": True,
    "default_cache_ttl": 0,
    "sql_time_limit_ms": 5_000,
    "max_returned_rows": 2_000,
}

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]


@click.command(help=command_help.EXPLORE)
@click.option("--with-text", is_flag=True, help=messages.WITH_TEXT_HELP)
@click.option("--port", default=PORT, show_default=True, help=messages.PORT_HELP)
def explore(with_text: bool, port: int) -> None:
    sys.exit(run(serve_database(read_environment(), port, with_text=with_text)))


async def serve_database(
    env: Mapping[str, str], port: int, *, with_text: bool = False
) -> int:
    """Serve until Ctrl-C.

    Raises ConfigError if there is no database file, if Datasette is not installed, or
    if another program uses `port`.
    """
    database = Config.from_env(env).database
    if isinstance(database, ServerAddress):
        raise ConfigError(postgres.not_explored(address=database))
    if importlib.util.find_spec("datasette") is None:
        raise ConfigError(messages.NOT_INSTALLED)
    with contextlib.ExitStack() as stack:
        shown = database
        if with_text:
            open_beside(database).close()
        else:
            # Private: `TemporaryDirectory` makes a directory for the owner only.
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            shown = Path(folder) / f"{database.stem}.db"
            await asyncio.to_thread(copy_numbers, database, shown)
        listener = stack.enter_context(_listen(port))
        address = f"{HOST}:{listener.getsockname()[1]}"
        terminal.say(messages.serving(address=f"http://{address}/{shown.stem}"))
        server = _server(application(shown, address, with_text=with_text))
        await server.serve(sockets=[listener])
    return 0


def application(shown: Path, address: str, *, with_text: bool) -> Asgi:
    """Return Datasette on the database `shown`, for requests to `address` only."""
    about = messages.ABOUT_WITH_TEXT if with_text else messages.ABOUT
    queries = {
        name: {"title": title, "description": text, "sql": sql}
        for name, (title, text, sql) in QUERIES.items()
    }
    metadata = {
        "title": messages.TITLE,
        "description": about,
        "databases": {shown.stem: {"queries": queries}},
    }
    # Import this module first, since it registers the others.
    datasette_app = load_module("datasette.app")
    # If rich is installed, Datasette prints each error in a query as a traceback with
    # local variables.
    load_module("datasette.handle_exception").rich = None
    # Datasette also opens mutable files read-only.
    files, immutable = ([str(shown)], []) if with_text else ([], [str(shown)])
    datasette = datasette_app.Datasette(
        files, immutables=immutable, metadata=metadata, settings=SETTINGS
    )
    return _under_its_name(datasette.app(), address)


def _under_its_name(app: Asgi, address: str) -> Asgi:
    """Return `app` for requests to `address` only.

    Otherwise another site could point its own host name here (DNS rebinding).
    """
    port = address.rpartition(":")[2]
    names = {address.encode(), f"localhost:{port}".encode()}

    async def checked(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and dict(scope["headers"]).get(b"host") not in names:
            await send({"type": "http.response.start", "status": 421, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        await app(scope, receive, send)

    return checked


def _server(app: Asgi) -> Any:
    uvicorn = load_module("uvicorn")
    return uvicorn.Server(
        uvicorn.Config(app, log_level="warning", access_log=False, lifespan="auto")
    )


def _listen(port: int) -> socket.socket:
    found = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((HOST, port))
    except (OSError, OverflowError) as error:
        found.close()
        if isinstance(error, OSError) and error.errno not in (
            errno.EADDRINUSE,
            errno.EACCES,
        ):
            raise
        raise ConfigError(messages.port_taken(port=port)) from error
    # Listen before the address is printed, so that early connections wait.
    found.listen()
    return found
