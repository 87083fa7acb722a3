"""Passes commands from slash commands, shortcuts, menus, buttons and forms to the core,
and shows the results.

Rule 1: nothing is decided here. Person and place are determined anew for each command,
so that an old button or form grants nothing that the person may not do today. The
channel is always that of the payload, which Slack signed, never one in a block or a
value. A form in a modal has no channel; the place stored in the modal counts only if
the person may read there.
Rule 2: Slack waits three seconds for an acknowledgement, and opens a modal only within
that time (facts A10). Work that takes longer continues in the background, and its
result is shown when it is ready.
"""

import asyncio
import logging
from collections.abc import Awaitable, Coroutine, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from adapters.slack import blocks, events, feedback, messages, modals, mrkdwn
from adapters.slack import files as slack_files
from adapters.slack.client import QUIET
from adapters.slack.config import PLATFORM
from adapters.slack.modals import Context
from adapters.slack.views import Windows, context_of, user_of
from adapters.slack.workspace import Workspace
from bot.domain.message import Message
from bot.domain.scope import Scope
from bot.errors import (
    ConfigError,
    DeliveryError,
    StorageError,
    ThreadkeepError,
    Unacceptable,
)
from bot.messages import labels
from bot.messages.commands import STALE
from bot.messages.controls import NOT_SAID, NOT_THERE, WORKING
from bot.messages.settings import UNSURE
from bot.ports.host import Host
from bot.runtime.background import Background, report
from bot.text import references
from bot.ui.elements import Command, CommandResult, Form, Response

log = logging.getLogger(__name__)

# How long work may take before it continues in the background, in seconds.
PROMPT = 2.0

# How long showing the result of a form outside the form may take, in seconds. Together
# with PROMPT this is less than Slack waits for the acknowledgement.
SETTLE = 0.8

# The shortcuts in a message's menu.
SETTINGS = "thread_settings"
RECEIPT = "message_receipt"
TRIAGE = "triage_message"
#: Events about revoked tokens (facts A1.4).
REVOCATIONS = {"app_uninstalled", "tokens_revoked"}

Body = Mapping[str, Any]
T = TypeVar("T")


class Interactions:
    """Handles all commands and controls in one workspace."""

    def __init__(
        self,
        there: Workspace,
        host: Host,
        background: Background,
        going_on: set[asyncio.Task[None]],
    ) -> None:
        self._client = there.client
        self._people = there.people
        self._display_names = there.display_names
        self._channels = there.channels
        self._us = there.us
        self._host = host
        self._background = background
        self._windows = Windows(
            *(there.client, there.people, there.display_names, host, self._place(""))
        )
        #: Tasks that may outlast their acknowledgement.
        self._going_on = going_on

    async def take(self, body: Body) -> dict[str, Any] | None:
        """Handle `body` if it is a command, a control or an event that is not about
        messages; return the acknowledgement, or None if it is none of these."""
        if "command" in body and "response_url" in body:
            return await self._slash(body)
        match body.get("type"):
            case "block_actions":
                return await self._use_control(body)
            case "view_submission":
                return await self._submit(body)
            case "message_action":
                return await self._use_shortcut(body)
        return await self._take_event(body, body.get("event") or {})

    # Handlers by kind of interaction.

    async def _slash(self, body: Body) -> dict[str, Any]:
        place = self._place(str(body["channel_id"]))
        text = mrkdwn.tokens(str(body.get("text") or ""))
        parse = self._host.commands.parse
        command = parse(text) if text.strip() else Command("settings")
        given = command or Command("unknown", {"text": text})
        work = self._reply(given, place, str(body["user_id"]))
        reply = await self._promptly(
            work, lambda late: self._publish(late, place, body)
        )
        if reply is None:
            return {}
        if isinstance(reply, Form):
            name = modals.channel_name(body.get("channel_name"))
            context = Context(place, channel_name=name)
            view = await self._windows.view(reply, context, reply.title)
            await self._windows.open("views.open", view, body)
            return {}
        if reply.public:
            await self._start_work("publish a reply", self._publish(reply, place, body))
            return {}
        drawn = blocks.message(reply, place)
        return {"response_type": "ephemeral", **drawn, **QUIET}

    async def _use_shortcut(self, body: Body) -> dict[str, Any] | None:
        callback = body.get("callback_id")
        if callback == SETTINGS:
            return await self._show_result(body, Command("settings"), labels.SETTINGS)
        if callback == RECEIPT:
            message = str((body.get("message") or {}).get("ts") or "")
            command = Command("receipt", {"answer": message})
            return await self._show_result(body, command, labels.RECEIPT)
        if callback == TRIAGE:
            await self._start_work("triage a message", self._triage(body))
            return {}
        return None

    async def _take_event(self, body: Body, event: Body) -> dict[str, Any] | None:
        """Handle `event` if it is not about messages."""
        kind = event.get("type")
        if kind == "app_home_opened":
            if event.get("tab") == "home":
                work = self._windows.publish(str(event["user"]))
                await self._start_work("draw the home tab", work)
            elif event.get("tab") == "messages":
                place = self._place(str(event["channel"]))
                greeting = self._host.first_contact.opened(place, str(event["user"]))
                await self._start_work("greet", greeting)
        elif kind == "member_joined_channel":
            # A bot that an app adds, not a person, has no inviter (facts A1.4).
            inviter, joined = event.get("inviter"), event.get("user")
            if joined == self._us.user and inviter and events.is_ours(body, self._us):
                place = self._place(str(event["channel"]))
                added = self._host.first_contact.added(place, str(inviter))
                await self._start_work("greet", added)
        elif kind in REVOCATIONS:
            # A call shows whether the bot's own token was revoked.
            await self._start_work("look at the token", self._client.identify())
        elif kind == "agent_session_stopped":
            await self._start_work("stop an answer", self._stop(event))
        else:
            return None
        return {}

    async def _show_result(
        self, body: Body, command: Command, title: str
    ) -> dict[str, Any]:
        """Show the result of `command` in a modal. An ephemeral message after a
        shortcut in a thread would be shown outside the thread."""
        said = body.get("message") or {}
        channel = str((body.get("channel") or {}).get("id"))
        thread = said.get("thread_ts") or said.get("ts") or ""
        place = self._place(channel, str(thread))
        work = self._reply(command, place, user_of(body))
        reply = await self._promptly(
            work, lambda late: self._windows.respond(body, late, place)
        )
        if isinstance(reply, Response):
            view = blocks.draw_modal(reply, place, Context(place).metadata, title)
            await self._windows.open("views.open", view, body)
        return {}

    async def _triage(self, body: Body) -> None:
        """Triage the message whose shortcut somebody chose."""
        channel = str((body.get("channel") or {}).get("id"))
        said = {**(body.get("message") or {}), "channel": channel}
        message = events.message(said, self._us)
        if message is None:
            await self._windows.respond(body, Response(NOT_SAID), self._place(channel))
            return
        place = Scope.of(message.thread)
        response = await self._safely(
            self._triage_message(message, place, user_of(body)), TRIAGE
        )
        await self._publish(response, place, body)

    async def _publish(self, reply: CommandResult, place: Scope, body: Body) -> None:
        """Show `reply` to everybody if it is public, else to the person who acted."""
        if isinstance(reply, Response) and reply.public:
            try:
                await messages.post(self._client, self._display_names, place, reply)
                return
            except DeliveryError as error:
                # Show the reply to the person instead, for example if the bot is not a
                # member of the channel.
                log.warning("slack.not_public %s", error)
        await self._windows.respond(body, reply, place)

    async def _triage_message(
        self, message: Message, place: Scope, user: str
    ) -> Response:
        return await self._host.commands.triage(
            message, await self._people.person(place, user)
        )

    async def _use_control(self, body: Body) -> dict[str, Any]:
        action = (body.get("actions") or [{}])[0]
        if action.get("action_id") == feedback.FEEDBACK:
            value = str(action.get("value", ""))
            noting = feedback.take(
                *(self._client, self._host, self._place(""), body, value)
            )
            await self._start_work("note feedback", noting)
            return {}
        context = context_of(self._place(""), body, action)
        command = blocks.used_command(action)
        if command is not None and self._is_below(command) and not context.place.thread:
            there = str((body.get("container") or {}).get("message_ts") or "")
            context = replace(context, place=replace(context.place, thread=there))
        if command is None:
            await self._windows.respond(body, Response(STALE), context.place)
            return {}
        work = self._reply(command, context.place, user_of(body), context.claimed)
        reply = await self._promptly(
            work, lambda late: self._windows.show(late, context, command, body)
        )
        if reply is not None:
            await self._windows.show(reply, context, command, body)
        return {}

    async def _submit(self, body: Body) -> dict[str, Any]:
        view = body["view"]
        context = context_of(self._place(""), body, {})
        texts, files = modals.submitted_values(view["state"]["values"], context)
        work = self._send(modals.command(context), texts, files, context, body)
        reply = await self._promptly(
            work, lambda late: self._windows.replace(late, context, body)
        )
        if reply is None:
            response, title = Response(WORKING), view["title"]["text"]
            waiting = blocks.draw_modal(
                response, context.place, context.metadata, title
            )
            return {"response_action": "update", "view": waiting}
        if isinstance(reply, Response) and reply.field:
            block = modals.block_of(reply.field, view)
            why = references.plain_text(reply.text)
            if block:
                return {"response_action": "errors", "errors": {block: why}}
        if (
            isinstance(reply, Response)
            and reply.settles
            and await self._settle(reply, context, body)
        ):
            return {"response_action": "clear"}
        return {
            "response_action": "update",
            "view": await self._windows.view(reply, context, view["title"]["text"]),
        }

    async def _settle(self, reply: Response, context: Context, body: Body) -> bool:
        """Return whether `reply` was shown outside the form within SETTLE seconds."""

        shown = False

        async def settle() -> None:
            nonlocal shown
            shown = await self._windows.settle(reply, context, body)

        task = self._begin("settle a form", settle())
        await asyncio.wait({task}, timeout=SETTLE)
        return shown

    async def _stop(self, event: Body) -> None:
        """Handle the press of Slack's own stop button, which ends the stream (facts
        A1.4, A8.1). The core decides whether the answer ends, too."""
        place = self._place(str(event["channel"]), str(event["thread_ts"]))
        await self._reply(Command("stop"), place, str(event["user"]))

    # Responses.

    async def _reply(
        self, command: Command, place: Scope, user: str, claimed: bool = False
    ) -> CommandResult:
        """Return the result of `command`, given by `user` at `place`. If the place is
        only `claimed`, the user must be able to read there."""

        async def work() -> CommandResult:
            if claimed and place.channel:
                access = await self._channels.access(place, user)
                if not access.reads:
                    log.warning("slack.not_there place=%s user=%s", place, user)
                    return Response(NOT_THERE)
            person = await self._people.person(place, user)
            return await self._host.commands.run(command, place, person)

        return await self._safely(work(), command.verb)

    async def _safely(self, work: Awaitable[T], verb: str) -> T | Response:
        """Return the result of `work`, or a response that explains its failure."""
        try:
            return await work
        except DeliveryError as error:
            log.warning("slack.unknown_person verb=%s %s", verb, error)
            return Response(UNSURE)
        except StorageError as error:
            log.error("slack.not_carried_out verb=%s %s", verb, error)
            return Response(error.user_text)
        except ConfigError as error:
            # The operator learns of it from the log line about the platform's end.
            log.info("slack.not_carried_out verb=%s %s", verb, error)
            return Response(error.user_text)
        except Exception as error:
            # The person waits for a response, whatever the error.
            report("carry out a command", error)
            return Response(ThreadkeepError.user_text)

    async def _send(
        self,
        command: Command,
        texts: Mapping[str, str],
        files: Mapping[str, Body],
        context: Context,
        body: Body,
    ) -> CommandResult:
        """Return the result of a submitted form."""
        given = dict(texts)
        for field, file in files.items():
            try:
                given[field] = await slack_files.text_of(
                    self._client, context.place, file
                )
            except Unacceptable as error:
                return Response(error.user_text, field=field)
        return await self._reply(
            *(command.having(given), context.place, user_of(body), context.claimed)
        )

    # Acknowledging in time.

    async def _promptly(self, work: Awaitable[T], later: Any) -> T | None:
        """Return the result of `work` if it is ready within PROMPT seconds. Else return
        None, and pass the result to `later` in the background."""
        doing = asyncio.ensure_future(work)
        try:
            await asyncio.wait({doing}, timeout=PROMPT)
        except asyncio.CancelledError:
            doing.cancel()
            raise
        if doing.done():
            return doing.result()

        async def goes_on() -> None:
            await later(await doing)

        going_on = self._begin("reply late", goes_on())
        going_on.add_done_callback(lambda _: doing.cancel())
        return None

    async def _start_work(self, what: str, work: Coroutine[Any, Any, object]) -> None:
        """Start `work`, which the log calls `what`, and wait for it up to PROMPT
        seconds."""
        await asyncio.wait({self._begin(what, work)}, timeout=PROMPT)

    def _begin(
        self, what: str, work: Coroutine[Any, Any, object]
    ) -> asyncio.Task[None]:
        task = self._background.start(what, work, platform=PLATFORM)
        self._going_on.add(task)
        task.add_done_callback(self._going_on.discard)
        return task

    def _is_below(self, command: Command) -> bool:
        """Return whether the result is posted below the message with the button."""
        found = (e for e in self._host.commands.catalog if e.name == command.verb)
        return any(each.below for each in found)

    def _place(self, channel: str, thread: str = "") -> Scope:
        return Scope(PLATFORM, self._us.team, channel, thread)
