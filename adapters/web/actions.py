"""Actions of people on the pages: messages, commands, forms, buttons, ratings.

Rule: nothing is decided here. Person and place are determined anew for each request,
and everything goes to the core as it does from Slack and Discord.
"""

import re
import secrets
import time
from dataclasses import replace
from urllib.parse import quote

from aiohttp import web

from adapters.web import directory, form_data
from adapters.web.context import Context, Refused
from adapters.web.directory import WebDirectory
from adapters.web.encoding import stored
from adapters.web.form_data import FormData
from adapters.web.messages import message_of, render
from adapters.web.speaker import Speaker, member_of, speaker
from bot.domain.person import Person
from bot.domain.post import Post
from bot.errors import DeliveryError, StorageError
from bot.messages import web as texts
from bot.messages.commands import STALE
from bot.messages.controls import NO_ANSWER, NOT_SAID, THANKS
from bot.ui.command_spec import MOST_COMMAND_CHARS
from bot.ui.elements import SILENCE, Command, CommandResult, Form, Response

#: The id that a page gives to a message, so that a repeated request posts it once.
_ID = re.compile(r"[0-9a-f]{32}")
_FILE_ID = re.compile(r"[0-9a-f]{32}")


class Actions:
    """Handles the actions of people."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._host = context.host
        self._board = context.board
        self._directory = WebDirectory()
        self._catalog = {each.name: each for each in context.host.commands.catalog}

    async def say(self, request: web.Request) -> web.Response:
        """Post a message, and pass it to the core."""
        sent = await form_data.read(request)
        who = _speaker(request, sent)
        text = sent["text"].replace("\r\n", "\n").strip()
        if not text and not sent.files:
            raise Refused(400, "empty", texts.NOTHING_TO_SEND)
        if len(text) > form_data.MOST_CHARS:
            raise Refused(413, "too_long", texts.too_long(most=form_data.MOST_CHARS))
        if who.thread:
            await self._require_thread(who)
        post = await self._post(who, sent["id"], text, sent.files)
        return web.json_response(
            {"message": post.message, "thread": post.thread.thread}
        )

    async def text(self, request: web.Request) -> web.Response:
        """Return the text of one of the person's own messages, as it was typed."""
        member = member_of(request)
        post = await self._board.find(request.match_info["message"])
        if post is None or post.author != member.id:
            raise Refused(404, "no_message", texts.NO_SUCH_MESSAGE)
        return web.json_response({"text": post.text})

    async def commands(self, request: web.Request) -> web.Response:
        """Return the commands that people may type, for suggestions."""
        return web.json_response(
            [
                {"name": each.name, "summary": each.summary}
                for each in self._catalog.values()
                if each.spoken and not each.hidden
            ]
        )

    async def edit(self, request: web.Request) -> web.Response:
        """Change the text of one of the person's own messages."""
        sent = await form_data.read(request)
        post = await self._own(request, sent)
        text = sent["text"].replace("\r\n", "\n").strip()
        if not text and not post.files:
            raise Refused(400, "empty", texts.NOTHING_TO_SEND)
        if len(text) > form_data.MOST_CHARS:
            raise Refused(413, "too_long", texts.too_long(most=form_data.MOST_CHARS))
        before = message_of(post)
        edited = replace(post, text=text, edited=True)
        after = message_of(edited)
        await self._board.put(edited)
        newly = after.addressed and not before.addressed
        await self._host.inbox.amend(after, newly_addressed=newly)
        return web.json_response({})

    async def delete(self, request: web.Request) -> web.Response:
        """Delete one of the person's own messages; an admin can delete any message."""
        sent = await form_data.read(request)
        post = await self._own(request, sent, or_admin=True)
        key = post.thread
        # The core deletes the post and everything stored about it, in one transaction.
        await self._host.inbox.erase(
            key.platform, key.workspace, [post.message], key.channel
        )
        others = await self._board.store.posts(key)
        if post.message == key.thread and others:
            # The thread has other posts, so its root stays, without its content.
            gone = replace(post, text=texts.DELETED, files=(), body="", signs=())
            await self._board.put(gone)
        else:
            await self._board.delete(post)
        return web.json_response({})

    async def command(self, request: web.Request) -> web.Response:
        """Carry out a command of a button, a menu or a form, or a typed one."""
        sent = await form_data.read(request)
        who = _speaker(request, sent)
        command = self._command(sent)
        if command is None:
            return self._reply(Response(STALE), who)
        verb = self._catalog.get(command.verb)
        if verb is None:
            return self._reply(Response(STALE), who)
        if verb.below and not who.thread and _ID.fullmatch(sent["from"]):
            who = replace(who, thread=sent["from"])
        result = await self._run(command, who)
        return await self._show(result, who, sent["from"])

    async def rate(self, request: web.Request) -> web.Response:
        """Store a reader's rating of an answer."""
        sent = await form_data.read(request)
        who = _speaker(request, sent)
        known = await self._host.conversations.feedback(
            who.place.key, sent["turn"], sent["rating"] == "good"
        )
        return self._reply(Response(THANKS if known else NO_ANSWER), who)

    async def triage(self, request: web.Request) -> web.Response:
        """Triage the message that somebody chose."""
        sent = await form_data.read(request)
        who = _speaker(request, sent)
        post = await self._board.find(sent["message"])
        if post is None or not post.author or post.thread.channel != who.channel:
            return self._reply(Response(NOT_SAID), who)
        person = await self._person(who)
        who = replace(who, thread=post.thread.thread)
        response = await self._host.commands.triage(message_of(post), person)
        return await self._show(response, who, "")

    async def file(self, request: web.Request) -> web.Response:
        """Return a file to a member who may read the channel where it was posted."""
        id = request.match_info["file"]
        member = member_of(request)
        found = await self._board.posted_file(id) if _FILE_ID.fullmatch(id) else None
        if found is None or not directory.reads(member.id, found[0].thread.channel):
            raise Refused(404, "not_found", texts.NOT_FOUND)
        post, data = found
        name = next((each.name for each in post.files if each.id == id), id)
        # The browser must not show the file: somebody's page would have our origin.
        response = web.Response(body=data, content_type="application/octet-stream")
        response.headers["Content-Disposition"] = (
            f"attachment; filename*=UTF-8''{quote(name, safe='')}"
        )
        return response

    async def _post(
        self, who: Speaker, id: str, text: str, files: list[tuple[str, bytes]]
    ) -> Post:
        """Store a message under the `id` that the page gave it, unless an earlier
        request stored it, and pass it to the core. Return its post. Raises Refused."""
        message = id if _ID.fullmatch(id) else secrets.token_hex(16)
        found = await self._board.find(message)
        if found is not None:
            if found.author != who.member.id or found.thread.channel != who.channel:
                raise Refused(409, "exists", texts.NOT_UNDERSTOOD)
        else:
            key = self._board.thread(who.channel, who.thread or message)
            attached, contents = form_data.attached_files(files)
            found = Post(
                *(key, message, time.time(), who.member.id, text), files=attached
            )
            await self._board.put(found, contents)
        await self._host.inbox.receive(message_of(found))
        if who.channel.startswith(directory.DIRECT):
            place = replace(who, thread="").place
            await self._host.first_contact.opened(place, who.member.id)
        return found

    async def _require_thread(self, who: Speaker) -> None:
        """Raise Refused unless the thread of `who` exists."""
        root = await self._board.find(who.thread)
        if root is None or root.thread != who.place.key:
            raise Refused(404, "no_thread", texts.NO_SUCH_THREAD)

    async def _own(
        self, request: web.Request, sent: FormData, *, or_admin: bool = False
    ) -> Post:
        """Return the message that `sent` names. Raises Refused unless it is the
        speaker's own, or `or_admin` is True and the speaker is an admin."""
        who = _speaker(request, sent)
        post = await self._board.find(sent["message"])
        if post is None or post.thread.channel != who.channel:
            raise Refused(404, "no_message", texts.NO_SUCH_MESSAGE)
        if post.author != who.member.id and not (or_admin and who.member.admin):
            raise Refused(403, "not_yours", texts.NOT_YOURS)
        return post

    def _command(self, sent: FormData) -> Command | None:
        """Return the command in `sent`, or None if there is none."""
        if text := sent["typed"].strip():
            return self._parse(text)
        if written := sent["command"]:
            return form_data.command_of(written, sent.values)
        if line := sent["line"]:
            command = Command.of_line(line)
            if argument := sent["argument"]:
                command = command.having({argument: sent["value"]})
            return command
        return None

    def _parse(self, text: str) -> Command:
        """Return the command that was typed after a slash."""
        words = text.removeprefix("/")
        if words.lower().split(maxsplit=1)[:1] == [directory.BOT]:
            words = words[len(directory.BOT) :]
        words = words.strip()
        if not words:
            return Command("settings")
        parsed = None
        if len(words) <= MOST_COMMAND_CHARS:
            parsed = self._host.commands.parse(words)
        return parsed or Command("unknown", {"text": words})

    async def _run(self, command: Command, who: Speaker) -> CommandResult:
        try:
            person = await self._person(who)
            return await self._host.commands.run(command, who.place, person)
        except (DeliveryError, StorageError) as error:
            return Response(error.user_text)

    async def _person(self, who: Speaker) -> Person:
        return await self._directory.person(who.place, who.member.id)

    async def _show(
        self, result: CommandResult, who: Speaker, source: str
    ) -> web.Response:
        if isinstance(result, Form):
            html = self._context.drawing.form(result)
            return web.json_response({"kind": "form", "html": html})
        if result is SILENCE:
            return web.json_response({"kind": "silence"})
        if result.public:
            await self._board.post(
                *(who.channel, who.thread, "", render(result.text)),
                body=stored(result),
            )
            return web.json_response({"kind": "silence", "settles": True})
        notice = await self._notice(source, who)
        if notice is not None and (result.replaces or result.settles):
            await self._board.put(
                replace(notice, text=render(result.text), body=stored(result))
            )
            return web.json_response({"kind": "silence", "settles": True})
        return self._reply(result, who)

    async def _notice(self, source: str, who: Speaker) -> Post | None:
        """Return the post whose control was used, or None if that is an answer."""
        post = await self._board.find(source) if source else None
        if post is None or post.author or post.turn:
            return None
        if post.thread.channel != who.channel:
            return None
        return post if post.reader in ("", who.member.id) else None

    def _reply(self, response: Response, who: Speaker) -> web.Response:
        return web.json_response(
            {
                "kind": "response",
                "html": self._context.drawing.response(response, who.member.id),
                "text": render(response.text),
                "field": response.field,
                "replaces": response.replaces,
                "settles": response.settles,
            }
        )


def routes(context: Context) -> list[web.RouteDef]:
    """Return the routes of people's actions."""
    actions = Actions(context)
    return [
        web.post("/local/messages", actions.say),
        web.get("/local/commands", actions.commands),
        web.get("/local/text/{message}", actions.text),
        web.post("/local/edit", actions.edit),
        web.post("/local/delete", actions.delete),
        web.post("/local/command", actions.command),
        web.post("/local/rate", actions.rate),
        web.post("/local/triage", actions.triage),
        web.get("/files/{file}", actions.file),
    ]


def _speaker(request: web.Request, sent: FormData) -> Speaker:
    member = member_of(request, sent["as"])
    return speaker(member, sent["channel"], sent["thread"])
