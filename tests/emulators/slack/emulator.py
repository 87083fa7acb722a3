"""SlackEmulator: a Slack workspace on loopback with one installed app.

Further workspaces on the same server may install the app too.

The app connects over HTTP and WebSockets with the real SDKs. People act through the
methods of this class, such as `say`, `edit`, `delete` and `press`. Tests read what a
reader would see, and the calls that the app made.

Rule: this file only assembles the parts. The world outlives every connection of the
app, so an app may die and return to the same workspace.
"""

import asyncio
import contextlib
import random
import time
import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

from aiohttp import web

from tests.emulators import wire
from tests.emulators.changes import PATIENCE, Changes
from tests.emulators.slack import blocks as kit
from tests.emulators.slack import rates as limits
from tests.emulators.slack import scopes, socketmode
from tests.emulators.slack.api import APP_LEVEL, Api, read
from tests.emulators.slack.blocks import Json
from tests.emulators.slack.calls import Call, Refused
from tests.emulators.slack.chat import Chat
from tests.emulators.slack.client import Client
from tests.emulators.slack.dump import dump
from tests.emulators.slack.events import Feed
from tests.emulators.slack.faults import Faults
from tests.emulators.slack.files import Files
from tests.emulators.slack.groups import Groups
from tests.emulators.slack.hooks import Hooks
from tests.emulators.slack.http_delivery import HttpDelivery
from tests.emulators.slack.oauth import OAuth, Org
from tests.emulators.slack.reads import Reads
from tests.emulators.slack.socketmode import Connection, Delivery, SocketMode
from tests.emulators.slack.streams import Streams
from tests.emulators.slack.triggers import Triggers
from tests.emulators.slack.uploads import Uploads
from tests.emulators.slack.views import Views
from tests.emulators.slack.world import Message, Ping, Preview, Seen, Status, World

T = TypeVar("T")


class SlackEmulator:
    """A running workspace: `async with SlackEmulator() as slack:`.

    `clock` drives rate limits, timestamps and logs, and may run faster than real time.
    `rates` is a table like `rates.RATES`. `replies_cap` is 15 for an app that Slack
    caps (A5.2), which gets a page every `capped` seconds. `pair` orders the two events
    of a mention. The times of Socket Mode are real seconds; see socketmode.py.

    `add_team` returns another workspace on the same server, with the same methods. It
    has its own people, channels, tokens, rates, calls and faults.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        name: str = "threadkeep",
        clock: Callable[[], float] = time.monotonic,
        rates: limits.Rates = limits.RATES,
        granted: frozenset[str] = scopes.ALL,
        replies_cap: int | None = None,
        capped: float = limits.CAPPED_SECONDS,
        repeats_root: bool = True,
        pair: str = "random",
        seed: int = 0,
        ack_timeout: float = socketmode.ACK_TIMEOUT,
        retries: Sequence[float] = socketmode.RETRIES,
        keep: float = socketmode.KEEP,
        among: "SlackEmulator | None" = None,
        bot: tuple[str, str] | None = None,
    ) -> None:
        #: The bot's newest token; "" before the app is installed.
        self.bot_token = "" if among else "xoxb-emulated-bot-token"
        self.app_token = "xapp-1-emulated-app-token"
        self.socket_mode = True
        self._home = among or self
        #: The workspaces on this server.
        self.teams: list[SlackEmulator] = among.teams if among else []
        self.teams.append(self)
        #: Whether the app is installed here. Otherwise events do not reach it.
        self.installed = among is None
        self.org: Org | None = None
        self.oauth: OAuth = among.oauth if among else OAuth(clock=clock)
        #: The granted scopes. Remove one to get `missing_scope`.
        self.granted = set(granted)
        self._port = port
        self._clock, self._rates = clock, rates
        self._changes: Changes = among._changes if among else Changes()
        self._chance: random.Random = among._chance if among else random.Random(seed)
        self.world: World = World(
            name=name,
            clock=clock,
            changes=self._changes,
            numbers=among.world.numbers if among else None,
            bot=bot,
        )
        self.socket: SocketMode = (
            among.socket
            if among
            else SocketMode(
                app=self.world.app,
                clock=clock,
                changes=self._changes,
                chance=self._chance,
                ack_timeout=ack_timeout,
                retries=retries,
                keep=keep,
            )
        )
        self.feed = Feed(
            self.world,
            granted=self.granted,
            pair=pair,
            chance=self._chance,
            deliver=self._deliver,
        )
        self.world.listener = self.feed.tell
        self._chat = Chat(self.world, granted=self.granted)
        #: The native streams; a test can refuse them, or press Slack's Stop.
        self.streams = Streams(self.world, self._chat, self.feed.send)
        self.groups = Groups(self.world)
        triggers = Triggers(clock)
        self.views = Views(self.world, triggers)
        self.hooks = Hooks(self.world, host=self._host)
        self.files = Files(self.world, trusts=lambda request: self.api.trusts(request))
        self.uploads = Uploads(
            self.world, chat=self._chat, files=self.files, host=self._host
        )
        self._reads = reads = Reads(
            self.world,
            granted=self.granted,
            replies_cap=replies_cap,
            repeats_root=repeats_root,
        )
        if replies_cap is not None:
            methods = ("conversations.replies", "conversations.history")
            rate = (limits.Rate(1, seconds=capped),)
            rates = {**rates, **dict.fromkeys(methods, rate)}
        self.api: Api = Api(
            methods={
                **self._chat.methods(),
                **self.streams.methods(),
                **reads.methods(),
                **self.groups.methods(),
                **self.views.methods(),
                **self.uploads.methods(),
                **self.oauth.methods(),
                "auth.revoke": self._revoked,
                APP_LEVEL: self._open_connection,
            },
            token=self.bot_token,
            app_token=self.app_token,
            granted=self.granted,
            meter=limits.Meter(rates, clock),
            clock=clock,
            changes=self._changes,
        )
        self.client = client = Client(
            self.world,
            socket=self.socket,
            triggers=triggers,
            views=self.views,
            hooks=self.hooks,
            files=self.files,
            host=self._host,
            emit=self.emit,
        )
        # Controls, commands and views as people use them; see client.py.
        self.command, self.shortcut = client.command, client.shortcut
        self.press, self.choose = client.press, client.choose
        self.press_feedback, self.ephemerals = client.press_feedback, client.ephemerals
        self.press_in, self.choose_in = client.press_in, client.choose_in
        self.modal, self.fill = client.modal, client.fill
        self.submit, self.close = client.submit, client.close
        self.open_home, self.home, self.page = (
            client.open_home,
            client.home,
            client.page,
        )

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=16 * 2**20)
        app.router.add_route("*", "/api/{method}", self._serve_call)
        app.router.add_route("*", "/by/{by}/api/{method}", self._serve_call)
        app.router.add_get("/oauth/v2/authorize", self.oauth.serve)
        app.router.add_get("/link/", self.socket.serve)
        app.router.add_get("/files-pri/{file}/{name}", self._serve_file)
        app.router.add_get("/files-pri/{file}/download/{name}", self._serve_file)
        app.router.add_post("/upload/v1/{file}", self._serve_upload)
        app.router.add_post("/hooks/{hook}", self._serve_hook)
        self._runner = wire.runner(app, shutdown_timeout=0.05)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]
        self._courier = asyncio.create_task(self.socket.run())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._courier.cancel()
        try:
            with contextlib.suppress(asyncio.CancelledError):
                await self._courier
        finally:
            await self.socket.close()
            await self._runner.cleanup()

    # Routing a request to its workspace.

    async def _serve_call(self, request: web.Request) -> web.Response:
        call = await read(request, self._clock)
        return await self._owner(call).api.serve(request)

    def _owner(self, call: Call) -> "SlackEmulator":
        """Return the workspace of the token of `call`. If the token belongs to an
        organisation, return its workspace that `call` names, or whose channel or person
        it names."""
        teams = [team for team in self.teams if call.token in team.api.tokens]
        if len(teams) > 1:
            named = [
                team
                for team in teams
                if call.text("team_id") == team.team
                or call.text("channel") in team.world.channels
                or call.text("channel_id") in team.world.channels
            ]
            people = [t for t in teams if call.text("user") in t.world.users]
            teams = named or people or teams
        return teams[0] if teams else self

    async def _serve_file(self, request: web.Request) -> web.StreamResponse:
        name, _, _ = request.match_info["file"].partition("-")
        owner = next((t for t in self.teams if t.team == name), self)
        return await owner.files.serve(request)

    async def _serve_upload(self, request: web.Request) -> web.Response:
        file = request.match_info["file"]
        owner = next((t for t in self.teams if t.uploads.knows(file)), self)
        return await owner.uploads.serve(request)

    async def _serve_hook(self, request: web.Request) -> web.Response:
        hook = request.match_info["hook"]
        owner = next((t for t in self.teams if t.hooks.knows(hook)), self)
        return await owner.hooks.serve(request)

    def _deliver(self, payload: Json) -> None:
        if self.installed:
            self.socket.deliver(payload)

    # Where it is, and who is there.

    @property
    def name(self) -> str:
        """The name of the workspace."""
        return self._reads.name

    @property
    def authorize_url(self) -> str:
        """The address where people install the app."""
        return f"http://{self._host()}/oauth/v2/authorize"

    @property
    def api_url(self) -> str:
        """The address that the SDKs call `base_url`."""
        return f"http://{self._host()}/api/"

    def api_url_for(self, name: str) -> str:
        """Return the URL of the API for a program whose calls are recorded under
        `name`."""
        return f"http://{self._host()}/by/{name}/api/"

    @property
    def team(self) -> str:
        return self.world.team

    @property
    def bot_user(self) -> str:
        return self.world.bot.id

    @property
    def bot_id(self) -> str:
        return self.world.bot.bot

    @property
    def mention(self) -> str:
        """The mention of the bot, in Slack's notation."""
        return f"<@{self.world.bot.id}>"

    def add_team(
        self, name: str, *, org: Org | None = None, installed: bool = False
    ) -> "SlackEmulator":
        """Add another workspace, in `org` if one is given. With `installed`, the app is
        installed there and has a token."""
        # The app has the same user in all workspaces of an organisation.
        first = org.teams[0] if org and org.teams else None
        team = SlackEmulator(
            clock=self._clock,
            rates=self._rates,
            pair=self.feed.pair,
            granted=frozenset(self.granted),
            among=self._home,
            bot=(first.bot_user, first.bot_id) if first else None,
        )
        team._reads.name = name
        if org is not None:
            team.org = org
            team.world.enterprise = org.id
            org.teams.append(team)
        if installed:
            token = self.world.number("xoxb-emulated-")
            team.install(token, frozenset(self.granted))
        return team

    def add_org(self, name: str) -> Org:
        """Add an organisation. `add_team` adds its workspaces (A14)."""
        return Org(self.world.number("E"), name)

    def add_user(self, name: str, **facts: Any) -> str:
        """Add a person. `facts` are fields of people.User. Return the id."""
        return self.world.add_user(name, **facts).id

    def add_app(self, name: str, *, classic: bool = False) -> str:
        """Add another app. A `classic` one posts as `bot_message`. Return its user
        id."""
        number = self.world.number
        user = self.world.add_user(
            name, bot=number("B"), app=number("A"), classic=classic
        )
        return user.id

    def add_channel(
        self,
        name: str,
        *,
        kind: str = "channel",
        joined: bool = True,
        members: Sequence[str] = (),
        creator: str | None = None,
    ) -> str:
        """Add a "channel", a private "group" or an "mpim". Return its id."""
        present = {*members} | ({self.bot_user} if joined else set())
        return self.world.add_channel(
            name, kind=kind, members=present, creator=creator
        ).id

    def add_group(self, name: str, handle: str, users: Sequence[str] = ()) -> str:
        """Add a user group, and return its id. `self.groups.change` changes its
        members."""
        return self.groups.add(name, handle, list(users)).id

    def open_dm(self, user: str) -> str:
        """Return the direct messages between `user` and the bot."""
        return self.world.direct(user).id

    # Actions of people.

    def say(
        self,
        user: str,
        channel: str,
        text: str,
        *,
        thread_ts: str | None = None,
        files: Mapping[str, bytes] | None = None,
        broadcast: bool = False,
        attachments: Sequence[Json] = (),
        blocks: Sequence[Json] | None = None,
    ) -> str:
        """Post `text`, in Slack's notation (A6). Return its ts.

        `files` are contents by name. `attachments` and the `blocks` of an app are as in
        A1.5. Raises ValueError if Slack's client would not allow it.
        """
        place = self.world.channels[channel]
        if place.archived:
            raise ValueError(f"{channel} is archived")
        if thread_ts:
            root = self.world.messages[channel].get(thread_ts)
            if root is None or root.thread_ts:
                raise ValueError(f"{thread_ts} is not the root of a thread")
        place.members.add(user)
        person = not self.world.users[user].bot
        message = Message(
            ts=self.world.next_ts(),
            channel=channel,
            user=user,
            text=text,
            thread_ts=thread_ts,
            blocks=kit.rich_text(text)
            if person and text
            else [*blocks]
            if blocks
            else None,
            attachments=[*attachments],
            client_msg_id=str(uuid.UUID(int=self._chance.getrandbits(128))),
            broadcast=broadcast,
            files=[
                self.files.add(name, content, host=self._host())
                for name, content in (files or {}).items()
            ],
        )
        return self.world.post(message).ts

    def edit(self, channel: str, ts: str, text: str) -> None:
        """Change the text of a message as its author."""
        message = self.world.messages[channel][ts]
        if message.user == self.bot_user:
            raise ValueError("only the app edits its own messages")
        blocks = kit.rich_text(text) if message.blocks else None
        edited = self.world.next_ts()
        self.world.edit(message, text=text, blocks=blocks, edited=edited)

    def preview(self, channel: str, ts: str, *attachments: Json) -> None:
        """Make Slack add previews of links to a message. The app receives
        `message_changed`, although nobody edited it (A1.5)."""
        message = self.world.messages[channel][ts]
        self.world.edit(message, attachments=[*message.attachments, *attachments])

    def delete(self, channel: str, ts: str) -> None:
        """Delete a message as its author or an admin."""
        self.world.delete(self.world.messages[channel][ts])

    def delete_file(self, channel: str, ts: str, name: str) -> None:
        """Delete a file of a message as its author. The app receives `message_changed`,
        in which the file is a tombstone (A1.3, A15)."""
        message = self.world.messages[channel][ts]
        for file in message.files:
            if file["name"] == name:
                self.files.delete(file["id"])
        left = [self.files.json(file["id"]) for file in message.files]
        self.world.edit(message, files=left)

    # Events of the workspace and the app.

    def invite(self, channel: str, *, by: str = "") -> None:
        """Add the bot to a channel. The event names the person `by` if one did it
        (A1.4: `inviter?`)."""
        self.world.channels[channel].members.add(self.bot_user)
        self.emit(
            "member_joined_channel",
            user=self.bot_user,
            channel=channel,
            channel_type=self.world.channels[channel].id[0],
            team=self.team,
            **({"inviter": by} if by else {}),
        )

    def kick(self, channel: str) -> None:
        """Remove the bot from a channel."""
        self.world.channels[channel].members.discard(self.bot_user)

    def archive(self, channel: str) -> None:
        """Archive a channel."""
        self.world.channels[channel].archived = True
        self.emit("channel_archive", channel=channel)

    def delete_channel(self, channel: str) -> None:
        """Delete a channel with its messages, for which no events are sent (A1.4). The
        event of a private channel has another name."""
        place = self.world.channels[channel]
        place.archived = True
        for ts in list(self.world.messages[channel]):
            del self.world.messages[channel][ts]
        kind = "group_deleted" if place.kind == "group" else "channel_deleted"
        self.emit(kind, channel=channel)

    def convert_channel(self, channel: str) -> str:
        """Convert a channel to a shared one, and return its new id. The app receives
        `channel_id_changed` (A1.4), and the old id is not found any more."""
        new = self.world.rename(channel)
        self.emit("channel_id_changed", old_channel_id=channel, new_channel_id=new)
        return new

    def limit_events(self, minute: float, team: str = "") -> None:
        """Say that the events of a workspace in the minute that began at `minute` are
        left out, since there were more than 30,000 in an hour (A2)."""
        self._deliver(
            {
                "token": "verification",
                "type": "app_rate_limited",
                "team_id": team or self.team,
                "minute_rate_limited": int(minute),
                "api_app_id": self.world.app,
            }
        )

    def revoke(self, error: str = "token_revoked") -> None:
        """Revoke the bot's tokens, and send the app the event (A1.4). Calls then get
        `error`, for example "token_revoked" or "account_inactive" (A5.3)."""
        self.api.refuse(error)
        self.emit("tokens_revoked", tokens={"oauth": [], "bot": [self.bot_user]})

    def uninstall(self) -> None:
        """Remove the app from the workspace. It receives two events (A1.4) and then no
        more, and its tokens become invalid."""
        self.revoke("account_inactive")
        self.emit("app_uninstalled")
        self.installed = False

    def install(
        self,
        token: str,
        granted: frozenset[str],
        *,
        valid: float | None = None,
        org: Org | None = None,
        again: bool = False,
    ) -> None:
        """Give the app `token` for this workspace, valid for `valid` seconds (None for
        ever). With `again`, it replaces an earlier token."""
        self.bot_token = token
        until = None if valid is None else self._clock() + valid
        self.api.admit(token, until)
        if not again:
            self.granted.clear()
            self.granted.update(granted)
            self.installed = True
            self.world.is_org_wide = org is not None

    def _revoked(self, call: Call) -> Json:
        """Revoke the token at the app's request. It receives the same event as when
        people revoke it (A1.4)."""
        if call.flag("test"):
            return {"ok": True, "revoked": False}
        self.revoke()
        return {"ok": True, "revoked": True}

    def refuse_status(self, error: str | None = "feature_disabled") -> None:
        """Make setStatus fail with `error`, for example "missing_scope"; None ends
        that."""
        self._chat.status_error = error

    def emit(self, kind: str, **fields: Any) -> None:
        """Send the app an event of type `kind` (A1.4)."""
        self.feed.send({"type": kind, **fields, "event_ts": self.world.next_ts()})

    def say_elsewhere(self, team: str, text: str, **outer: Any) -> str:
        """Mention the app in a channel of another workspace that has installed it.
        Return the ts. `outer` is added to the envelope (A1)."""
        ts = self.world.next_ts()
        event = {
            **{"type": "app_mention", "user": "U0ELSE", "channel": "C0ELSE"},
            **{"text": f"{self.mention} {text}", "ts": ts, "event_ts": ts},
        }
        self.feed.send(event, team=team, **outer)
        return ts

    async def use_http(self, url: str) -> None:
        """Switch Socket Mode off and set a request URL (A16). Raises ValueError if the
        URL does not return the challenge."""
        await self.http.challenge(url)
        self.socket_mode = False

    async def turn_off_socket_mode(self) -> None:
        """Switch Socket Mode off in the app's settings (A4)."""
        self.socket_mode = False
        await self.socket.disconnect("link_disabled")

    def forget_records(self) -> None:
        """Drop the records of what the app did and received, and the faults."""
        self.api.calls.clear()
        self.api.refused.clear()
        self.api.faults.clear()
        self.socket.deliveries.clear()
        self.world.pings.clear()
        self.world.previews.clear()
        self.world.statuses.clear()
        self.world.ephemeral.clear()

    # State.

    def thread(self, channel: str, thread_ts: str) -> list[Seen]:
        """Return the root and its replies, as a reader sees them now."""
        messages = self.world.thread(channel, thread_ts)
        return [self.world.seen(message) for message in messages]

    def message(self, channel: str, ts: str) -> Seen:
        """Return a message as a reader sees it now. Raises KeyError if it is gone."""
        return self.world.seen(self.world.messages[channel][ts])

    def attached(self, channel: str, ts: str) -> dict[str, bytes]:
        """Return the files attached to a message, by name."""
        files = self.world.messages[channel][ts].files
        return {file["name"]: self.files.content(file["id"]) for file in files}

    def transcript(self, channel: str, thread_ts: str) -> str:
        """Return a thread as readers see it: "Alice: …", "threadkeep (bot): …"."""
        messages = self.world.thread(channel, thread_ts)
        return "\n".join(self.world.line(message) for message in messages)

    def status(self, channel: str, thread_ts: str) -> str:
        """Return the bot's status line in a thread, or "" if none is shown."""
        return self.world.status(channel, thread_ts)

    @property
    def statuses(self) -> list[Status]:
        return self.world.statuses

    @property
    def pings(self) -> list[Ping]:
        return self.world.pings

    @property
    def previews(self) -> list[Preview]:
        return self.world.previews

    @property
    def calls(self) -> list[Call]:
        return self.api.calls

    def calls_of(self, method: str) -> list[Call]:
        """Return the calls of one method."""
        return [call for call in self.api.calls if call.method == method]

    @property
    def refused(self) -> Counter[str]:
        return self.api.refused

    @property
    def faults(self) -> Faults:
        return self.api.faults

    @property
    def deliveries(self) -> list[Delivery]:
        return self.socket.deliveries

    @property
    def connections(self) -> list[Connection]:
        return self.socket.connections

    @property
    def http(self) -> HttpDelivery:
        """The deliveries to the request URL of an app without Socket Mode."""
        return self.socket.http

    @property
    def settled(self) -> bool:
        """True if every event is acknowledged or lost, and every call answered."""
        return not (self.socket.pending or self.api.pending)

    async def until(self, predicate: Callable[[], T], timeout: float = PATIENCE) -> T:
        """Wait until `predicate()` is true, and return its result; see changes.py.
        Raises AssertionError with `dump()` after `timeout` real seconds."""
        return await self._changes.until(predicate, timeout=timeout, dump=self.dump)

    def dump(self) -> str:
        """Return the state of the emulator as text, for a test that hangs."""
        return dump(self.world, self.views, self.api, self.socket)

    def _host(self) -> str:
        return f"127.0.0.1:{self._home._port}"

    def _open_connection(self, call: Call) -> Json:
        if not self.socket_mode:
            # Slack's actual error is not confirmed. This one is on its list.
            raise Refused("access_denied")
        return {"ok": True, "url": f"ws://{self._host()}{self.socket.ticket()}"}
