"""Shows the results of commands in Slack: modals, ephemeral messages, the Home tab.

Rule: if a result can no longer be shown, the failure is logged, and the person is told
if possible. The result is never shown to anybody else.
"""

import logging
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from adapters.slack import blocks, messages, modals, simple_views
from adapters.slack.client import SlackClient
from adapters.slack.display_names import DisplayNames
from adapters.slack.members import People
from adapters.slack.modals import Context
from bot.domain.scope import Scope
from bot.errors import DeliveryError, Unfit
from bot.messages.controls import LATE
from bot.messages.settings import UNSURE
from bot.ports.host import Host
from bot.ui.elements import (
    SILENCE,
    Command,
    CommandResult,
    Form,
    Page,
    Response,
    Section,
)

log = logging.getLogger(__name__)

Body = Mapping[str, Any]


class Windows:
    """Opens and updates the bot's modals, ephemeral messages and Home tabs."""

    def __init__(
        self,
        client: SlackClient,
        people: People,
        display_names: DisplayNames,
        host: Host,
        home: Scope,
    ) -> None:
        self._client = client
        self._display_names = display_names
        self._people = people
        self._host = host
        #: The workspace in which the commands are given.
        self._home = home

    async def show(
        self, reply: CommandResult, context: Context, command: Command, body: Body
    ) -> None:
        """Show the result of a control in the place of the control."""
        view = body.get("view") or {}
        if isinstance(reply, Form):
            method = "views.push" if view.get("type") == "modal" else "views.open"
            drawn = await self.view(reply, context, reply.title)
            await self.open(method, drawn, body)
        elif view.get("type") == "modal":
            await self.replace(reply, context, body)
        elif view and isinstance(reply, Response) and reply.settles:
            await self.publish(user_of(body), reply)
        elif view:
            title = command.verb.split()[0].capitalize()
            drawn = await self.view(reply, context, title)
            await self.open("views.open", drawn, body)
        elif reply is not SILENCE:
            # Replace an ephemeral message, but not an answer that everybody sees.
            own = bool((body.get("container") or {}).get("is_ephemeral"))
            await self.respond(body, reply, context.place, replaces=own)

    async def view(
        self, reply: CommandResult, context: Context, title: str
    ) -> dict[str, Any]:
        """Return `reply` as a modal."""
        if isinstance(reply, Form):
            return modals.view(reply, context, await self._people.groups())
        return blocks.draw_modal(reply, context.place, context.metadata, title)

    async def open(self, method: str, view: dict[str, Any], body: Body) -> None:
        """Open `view` for the person who acted, with "views.open" or, on top of a
        modal, "views.push". If Slack refuses the layout, open the text of `view`."""
        trigger = body["trigger_id"]
        try:
            try:
                await self._client.call(method, trigger_id=trigger, view=view)
                return
            except Unfit as error:
                log.error("slack.unfit_view %s", error)
                simple = simple_views.simplify(view)
                await self._client.call(method, trigger_id=trigger, view=simple)
        except Unfit as error:
            log.error("slack.unfit_view %s", error)
            await self.respond(body, Response(simple_views.text(view)), self._home)
        except DeliveryError as error:
            log.warning("slack.no_window %s", error)
            await self.respond(body, Response(LATE), self._home)

    async def settle(self, reply: Response, context: Context, body: Body) -> bool:
        """Show the result of a form in the place where the form was opened. Return
        whether that was possible, so that the form can be closed."""
        if not context.from_home and not context.place.channel:
            return False
        if context.from_home:
            await self.publish(user_of(body), reply)
            return True
        try:
            place = context.place
            await messages.whisper(self._client, place, user_of(body), reply)
        except DeliveryError as error:
            # The bot is not in the channel, so the modal shows the result instead.
            log.info("slack.not_whispered %s", error)
            return False
        return True

    async def replace(self, reply: CommandResult, context: Context, body: Body) -> None:
        """Replace the modal that `body` came from with `reply`."""
        view = body["view"]
        drawn = await self.view(reply, context, view["title"]["text"])
        await self._draw("views.update", drawn, view_id=view["id"])
        if context.from_home:
            await self.publish(user_of(body))

    async def respond(
        self, body: Body, reply: CommandResult, place: Scope, *, replaces: bool = False
    ) -> None:
        """Show `reply` only to the person who acted, unless it replaces a message."""
        response = Response(LATE) if isinstance(reply, Form) else reply
        names = (
            await self._display_names.find(response.whole)
            if response.replaces
            else None
        )
        drawn = blocks.message(response, place, names)
        url = body.get("response_url")
        if url is None:
            log.info("slack.nowhere_to_answer type=%s", body.get("type"))
            return
        how = {
            "response_type": "in_channel" if response.replaces else "ephemeral",
            "replace_original": response.replaces or (replaces and not response.public),
        }
        try:
            try:
                await self._client.respond(str(url), {**how, **drawn})
            except Unfit as error:
                log.error("slack.unfit_response %s", error)
                # Send one message, since an address accepts five responses (facts
                # A5.1).
                plain = blocks.plain_messages(response, names)
                text = "\n".join(each["text"] for each in plain)
                await self._client.respond(
                    str(url), {**how, "text": text, "blocks": []}
                )
        except DeliveryError as error:
            log.warning("slack.untold %s", error)

    async def publish(self, user: str, note: Response | None = None) -> None:
        """Update the Home tab of `user`, with `note` on top. If the user cannot be
        looked up, the tab says so."""
        place = self._home
        try:
            person = await self._people.person(place, user)
        except DeliveryError as error:
            log.warning("slack.unknown_person view=home %s", error)
            page = Page((Section("", UNSURE),))
        else:
            page = await self._host.commands.page(place, person)
        if note is not None:
            first = Section("", note.text, note.menus, note.buttons)
            page = Page((first, *page.sections))
        view = blocks.home(page, place)
        await self._draw("views.publish", view, user_id=user)

    async def _draw(self, method: str, view: dict[str, Any], **where: str) -> None:
        """Show `view`, or its text if Slack refuses its layout. Raises
        DeliveryError."""
        call = partial(self._client.call_when_allowed, method, **where)
        try:
            await call(view=view)
        except Unfit as error:
            log.error("slack.unfit_view %s", error)
            await call(view=simple_views.simplify(view))


def user_of(body: Body) -> str:
    """Return the id of the user who caused the payload `body`."""
    return str((body.get("user") or {}).get("id", ""))


def context_of(workspace: Scope, body: Body, action: Body) -> Context:
    """Return the place in `workspace` where a control or form was used, and how it was
    opened."""
    view = body.get("view") or {}
    if view.get("type") == "modal":
        try:
            metadata = str(view.get("private_metadata", ""))
            return Context.of(metadata, workspace.platform, workspace.workspace)
        except (ValueError, TypeError, RecursionError):
            return Context(workspace)
    if view:
        return Context(workspace, from_home=True)
    container = body.get("container") or {}
    channel = container.get("channel_id") or (body.get("channel") or {}).get("id")
    channel = str(channel or "")
    # An ephemeral message after a shortcut in a thread is outside the thread.
    thread = container.get("thread_ts") or blocks.thread(action, channel)
    place = replace(workspace, channel=channel, thread=str(thread))
    name = (body.get("channel") or {}).get("name")
    return Context(place, channel_name=modals.channel_name(name))
