"""DiscordEmulator: Discord on loopback, with one invited bot.

The bot connects over HTTP and WebSockets with the real discord.py. People act through
the methods of this class, such as `say`, `edit`, `command` and `click`. Tests read what
a reader would see, and the calls that the bot made.

Rule: this file only assembles the parts. The world outlives every connection of the
bot, so a bot may die and return to the same guilds.
"""

import base64
import json
import re
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self, TypeVar

from aiohttp import web

from tests.emulators import wire
from tests.emulators.changes import PATIENCE, Changes
from tests.emulators.discord import rates as limits
from tests.emulators.discord.api import PREFIX, Api
from tests.emulators.discord.app import App
from tests.emulators.discord.calls import Call
from tests.emulators.discord.faults import Faults
from tests.emulators.discord.files import Files
from tests.emulators.discord.gateway import Gateway
from tests.emulators.discord.interactions import Interactions
from tests.emulators.discord.model import Model, Ping, Preview
from tests.emulators.discord.people import People
from tests.emulators.discord.rates import Meter
from tests.emulators.discord.rules import Rules

T = TypeVar("T")


class DiscordEmulator:
    """A running Discord: `async with DiscordEmulator() as discord:`.

    `clock` drives ids, limits, deadlines and logs. It starts near the present, because
    discord.py compares ids with its own clock (B10). `rates` is a table like
    `rates.RATES`. Discord's `identify_interval` is 5 s (B1); with 0, a test can start a
    bot at any time.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        name: str = "threadkeep",
        clock: Callable[[], float] = time.time,
        rates: limits.Rates = limits.RATES,
        message_content: bool = True,
        identify_interval: float = 0.0,
    ) -> None:
        self._token_lost = False
        self._port = port
        self._clock = clock
        self._ahead = 0.0
        self._changes = Changes()
        self._model = Model(name=name, now=self.now)
        # Like a real token, it begins with the id of the bot.
        user = base64.b64encode(self.user_id.encode()).decode().rstrip("=")
        self.token = f"{user}.Emulat.ed-discord-bot-token"
        self.app = App(self._model, message_content=message_content)
        self.gateway = Gateway(
            self._model,
            self.app,
            trusts=self._trusts,
            token_lost=self.revoke,
            wire=self._wire,
            clock=self.now,
            changes=self._changes,
            identify_interval=identify_interval,
        )
        self._model.listener = self.gateway.tell
        self.api = Api(
            Rules(self._model, self.app),
            trusts=self._trusts,
            meter=Meter(rates, self.now),
            wire=self._wire,
            clock=self.now,
            changes=self._changes,
        )
        self.files = Files(self._model, now=self.now)
        people = People(self._model)
        self.guild = people.add_guild("Emulated")

        # Actions of people.
        self.add_user = people.add_user
        self.add_guild, self.owner = people.add_guild, people.owner
        self.add_channel = people.add_channel
        self.add_role = people.add_role
        self.take_role = people.take_role
        self.leave = people.leave
        self.refuse_messages = people.refuse_messages
        self.set_permissions = people.set_permissions
        self.limit_bot = people.limit_bot
        self.block_words = people.block_words
        self.limit_threads = people.limit_threads
        self.open_dm = people.open_dm
        self.say = people.say
        self.edit = people.edit
        self.fill = people.fill
        self.delete = people.delete
        self.forward = people.forward
        self.post = people.post
        self.bulk_delete = people.bulk_delete
        self.unfurl = people.unfurl
        self.attached = people.attached
        self.thread = people.thread
        self.private_thread = people.private_thread
        self.forum_post = people.forum_post
        self.archive = people.archive
        self.lock = people.lock
        self.delete_channel = people.delete_channel
        self.kick_bot = people.kick_bot
        self.invite_bot = people.invite_bot
        self.outage = people.outage
        self.recover = people.recover

        # Commands, buttons and forms as people use them.
        asking = Interactions(self._model, people, changes=self._changes)
        self.command = asking.command
        self.message_command = asking.message_command
        self.ask = asking.command
        self.click = asking.click
        self.select = asking.select
        self.submit = asking.submit
        self.forge, self.forge_form = asking.forge, asking.forge_form
        self.autocomplete = asking.autocomplete
        self.commands = asking.commands

        # Views of people.
        self.messages = people.messages
        self.message = people.message
        self.thread_of = people.thread_of
        self.name = people.name
        self.threads = people.threads
        self.typing = people.typing

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=32 * 2**20)
        app.router.add_route("*", PREFIX + "/{path:.*}", self.api.serve)
        app.router.add_route("*", "/by/{by}" + PREFIX + "/{path:.*}", self.api.serve)
        app.router.add_get("/gw", self.gateway.serve)
        app.router.add_get("/gw/", self.gateway.serve)
        app.router.add_get("/attachments/{channel}/{file}/{name}", self.files.serve)
        self._runner = wire.runner(app, shutdown_timeout=0.05)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]
        self.gateway.url = self.app.gateway_url = self.gateway_url
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.gateway.close(1001)
        await self._runner.cleanup()
        if error is None and self.api.gaps:
            raise AssertionError("\n".join(self.api.gaps))

    # Where it is, and who the bot is.

    @property
    def api_url(self) -> str:
        return f"http://127.0.0.1:{self._port}{PREFIX}"

    def api_url_for(self, name: str) -> str:
        """Return the URL of the API for a program whose calls are recorded under
        `name`."""
        return f"http://127.0.0.1:{self._port}/by/{name}{PREFIX}"

    @property
    def gateway_url(self) -> str:
        return f"ws://127.0.0.1:{self._port}/gw"

    @property
    def env(self) -> dict[str, str]:
        """Return the environment of a process that connects here."""
        return {
            "DISCORD_TOKEN": self.token,
            "DISCORD_API_URL": self.api_url,
            "DISCORD_GATEWAY_URL": self.gateway_url,
        }

    @property
    def application_id(self) -> str:
        return str(self._model.application_id)

    @property
    def user_id(self) -> str:
        """The bot's user."""
        return str(self._model.bot_user.id)

    @property
    def mention(self) -> str:
        """The mention of the bot."""
        return f"<@{self.user_id}>"

    # Events of the bot.

    @property
    def message_content(self) -> bool:
        """True if the bot has the message content intent (B1)."""
        return self.app.may_read

    @message_content.setter
    def message_content(self, granted: bool) -> None:
        self.app.may_read = granted

    @property
    def identifies_left(self) -> int:
        return self.app.identifies_left

    @identifies_left.setter
    def identifies_left(self, count: int) -> None:
        self.app.identifies_left = count

    def revoke(self) -> None:
        """Make the token invalid, as a reset in the portal does."""
        self._token_lost = True

    def emit(self, event: str, **payload: Any) -> None:
        """Send the bot any event of the gateway."""
        self._model.emit(event, payload)

    def now(self) -> float:
        """Return the time here, in seconds since 1970."""
        return self._clock() + self._ahead

    def advance(self, seconds: float) -> None:
        """Advance the emulator's clock."""
        self._ahead += seconds
        self._changes.mark()

    def forget_records(self) -> None:
        """Drop what was recorded of calls, files and pings, and the faults."""
        self.calls.clear()
        self.pings.clear()
        self.previews.clear()
        self.faults.clear()
        self.files.served.clear()
        self.files.lost = False

    # State.

    @property
    def pings(self) -> list[Ping]:
        return self._model.pings

    @property
    def previews(self) -> list[Preview]:
        return self._model.previews

    @property
    def calls(self) -> list[Call]:
        return self.api.calls

    def calls_of(self, method: str, path: str = ".*") -> list[Call]:
        """Return the calls of one method ("*" for any) whose whole path matches."""
        return [
            call
            for call in self.api.calls
            if method in ("*", call.method) and re.fullmatch(path, call.path)
        ]

    @property
    def refused(self) -> int:
        return self.api.refused

    @property
    def invalid_requests(self) -> int:
        return self.api.invalid_requests

    @property
    def command_puts(self) -> int:
        return self.app.command_puts

    @property
    def faults(self) -> Faults:
        return self.api.faults

    @property
    def settled(self) -> bool:
        """True if every call is answered."""
        return self.api.pending == 0

    async def until(
        self, condition: Callable[[], T], *, timeout: float = PATIENCE
    ) -> T:
        """Wait until `condition()` is true. Return its result.

        A LookupError in the condition counts as false. Raises AssertionError after
        `timeout` real seconds.
        """
        return await self._changes.until(condition, timeout=timeout, dump=self._dump)

    def _trusts(self, authorization: str) -> bool:
        return authorization == f"Bot {self.token}" and not self._token_lost

    def _wire(self, content: Any) -> str:
        """Return `content` as JSON, in which the addresses of files are ours."""
        return self.files.signed(json.dumps(content), f"http://127.0.0.1:{self._port}")

    def _dump(self) -> str:
        """Return the last calls and all messages, for a wait that timed out."""
        lines = [
            f"{call.status or '…'} {call.code or ''} {call.method} {call.path} "
            f"{json.dumps(call.body)}"[:300]
            for call in self.calls[-40:]
        ]
        for place in self._model.messages:
            lines += [f"in {place}:"] if self.messages(str(place)) else []
            for seen in self.messages(str(place)):
                whom = f" to {seen.ephemeral_for}" if seen.ephemeral_for else ""
                lines.append(f"  {seen.id} {seen.author}{whom}: {seen.text}"[:300])
        return "\n".join(lines)
