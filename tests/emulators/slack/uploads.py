"""Files that the app uploads in the three steps of A15; files.delete and files.info.

Rule: a file is invisible until some time after files.completeUploadExternal. Until then
`shares` is empty (slackapi/python-slack-sdk#1277). Then its message appears as usual,
or never does (paradigmxyz/centaur#311). Errors: Slack's pages on the methods.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aiohttp import web

from tests.emulators.slack.blocks import Json
from tests.emulators.slack.calls import Call, Refused
from tests.emulators.slack.chat import Chat
from tests.emulators.slack.files import Files
from tests.emulators.slack.world import Message, World


@dataclass(slots=True)
class Ticket:
    """An announced upload."""

    name: str
    length: int
    content: bytes | None = None


class Uploads:
    """Uploads of the app's files into channels."""

    def __init__(
        self, world: World, *, chat: Chat, files: Files, host: Callable[[], str]
    ) -> None:
        self._world = world
        self._chat = chat
        self._files = files
        self._host = host
        #: By the id that the file will have.
        self._tickets: dict[str, Ticket] = {}
        #: How many calls of files.info do not show the shares yet.
        self.late = 0
        #: How many of the next uploads are accepted and never shown.
        self.dropped = 0

    def methods(self) -> Mapping[str, Callable[[Call], Json]]:
        """Return the methods by name."""
        return {
            "files.getUploadURLExternal": self._announce,
            "files.completeUploadExternal": self._complete,
            "files.delete": self._delete,
            "files.info": self._info,
        }

    def knows(self, file: str) -> bool:
        return file in self._tickets

    async def serve(self, request: web.Request) -> web.Response:
        """Accept the bytes of a file, whose length must be as announced."""
        ticket = self._tickets.get(request.match_info["file"])
        content = await request.read()
        if ticket is None or len(content) != ticket.length:
            raise web.HTTPBadRequest
        ticket.content = content
        return web.Response(text=f"OK - {len(content)}")

    def _announce(self, call: Call) -> Json:
        name, length = call.text("filename"), call.number("length", 0)
        if not name or not length:
            raise Refused("invalid_arguments")
        number = self._world.number("F")
        self._tickets[number] = Ticket(name, length)
        url = f"http://{self._host()}/upload/v1/{number}"
        return {"ok": True, "upload_url": url, "file_id": number}

    def _complete(self, call: Call) -> Json:
        listed = call.value("files")
        if not isinstance(listed, list) or not listed:
            raise Refused("invalid_arguments")
        name = call.text("channel_id") or call.text("channels")
        channel = self._chat.writable(name) if name else None
        # The file goes to the top level if the thread's root is gone, like a post.
        thread = self._chat.parent(call.text("thread_ts"), channel) if channel else None
        files = [self._kept(str(each.get("id"))) for each in listed]
        for file, each in zip(files, listed, strict=True):
            file["title"] = each.get("title") or file["name"]
        if channel is not None and self.dropped:
            self.dropped -= 1
        elif channel is not None:
            posted = self._world.post(
                Message(
                    ts=self._world.next_ts(),
                    channel=channel.id,
                    user=self._world.bot.id,
                    text=call.text("initial_comment"),
                    thread_ts=thread,
                    files=files,
                )
            )
            for file in files:
                where = {"ts": posted.ts, "thread_ts": thread}
                file["shares"] = {"public": {channel.id: [where]}}
        return {"ok": True, "files": files}

    def _delete(self, call: Call) -> Json:
        """Delete a file, and the messages that have nothing else."""
        number = call.text("file")
        known = self._files.json(number)
        if known is None:
            raise Refused("file_not_found")
        if known.get("mode") == "tombstone":
            raise Refused("file_deleted")
        shown = [
            message
            for messages in self._world.messages.values()
            for message in messages.values()
            if any(file["id"] == number for file in message.files)
        ]
        for message in shown:
            if message.text or len(message.files) > 1:
                files = [file for file in message.files if file["id"] != number]
                self._world.edit(message, files=files)
            else:
                self._world.delete(message)
        self._files.delete(number)
        return {"ok": True}

    def _kept(self, number: str) -> Json:
        ticket = self._tickets.get(number)
        if ticket is None or ticket.content is None:
            raise Refused("file_not_found")
        del self._tickets[number]
        return self._files.add(
            ticket.name, ticket.content, host=self._host(), number=number
        )

    def _info(self, call: Call) -> Json:
        file = self._files.json(call.text("file"))
        if file is None:
            raise Refused("file_not_found")
        if file.get("mode") == "tombstone":
            raise Refused("file_deleted")
        if self.late and file.get("shares"):
            self.late -= 1
            file = file | {"shares": {}}
        return {"ok": True, "file": file, "comments": [], "response_metadata": {}}
