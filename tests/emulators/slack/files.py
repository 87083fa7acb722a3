"""Files that people attach, and their download (A15).

Rule: without the bot's token or files:read, Slack answers with its login page and HTTP
200, not with an error.
"""

from collections.abc import Callable
from urllib.parse import quote

from aiohttp import web

from tests.emulators import wire
from tests.emulators.slack.blocks import Json
from tests.emulators.slack.world import World

LOGIN_PAGE = "<!DOCTYPE html><html><body>Sign in to Slack</body></html>"

_TYPES = {
    "csv": "text/csv",
    "html": "text/html",
    "md": "text/markdown",
    "pdf": "application/pdf",
    "png": "image/png",
    "txt": "text/plain",
}


class Files:
    """The uploaded files."""

    def __init__(self, world: World, *, trusts: Callable[[web.Request], bool]) -> None:
        self._world = world
        self._trusts = trusts
        self._contents: dict[str, bytes] = {}
        self._files: dict[str, Json] = {}
        #: How the bytes of a file arrive, by its id. `moved` has the targets of
        #: redirects.
        self.bodies: dict[str, wire.Body] = {}
        self.moved: dict[str, str] = {}
        #: The HTTP status of downloads that fail, by the file's id.
        self.statuses: dict[str, int] = {}
        #: The ids of files that the token may not read.
        self.locked: set[str] = set()
        #: The downloads: (path, Authorization).
        self.served: list[tuple[str, str]] = []

    def add(
        self, name: str, content: bytes, *, host: str, number: str | None = None
    ) -> Json:
        """Store a file. Return its JSON in a message (A1.3)."""
        number = number or self._world.number("F")
        self._contents[number] = content
        ending = name.rpartition(".")[2]
        path = f"http://{host}/files-pri/{self._world.team}-{number}"
        quoted = quote(name, safe="")
        file = self._files[number] = {
            "id": number,
            "name": name,
            "title": name,
            "mimetype": _TYPES.get(ending, "application/octet-stream"),
            "filetype": ending,
            "size": len(content),
            "mode": "hosted",
            "url_private": f"{path}/{quoted}",
            "url_private_download": f"{path}/download/{quoted}",
            "file_access": "visible",
        }
        return file

    def json(self, number: str) -> Json | None:
        """Return the JSON of a file in a message, or None."""
        return self._files.get(number)

    def content(self, number: str) -> bytes:
        """Return the content of a file. Raises KeyError."""
        return self._contents[number]

    def stub(self, number: str) -> Json:
        """Return the JSON of a file that must be looked up (A14, A1.5)."""
        return {"id": number, "file_access": "check_file_info"}

    def delete(self, number: str) -> None:
        """Delete the bytes of a file, whose JSON becomes a tombstone (A15)."""
        del self._contents[number]
        self._files[number] = {"id": number, "mode": "tombstone"}

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer a download."""
        number = request.match_info["file"].rpartition("-")[2]
        self.served.append((request.path, request.headers.get("Authorization", "")))
        if number in self.statuses:
            return web.Response(status=self.statuses[number])
        if number in self.moved:
            return web.Response(status=302, headers={"Location": self.moved[number]})
        if not self._trusts(request) or number in self.locked:
            return web.Response(text=LOGIN_PAGE, content_type="text/html")
        content = self._contents.get(number)
        if content is None:
            raise web.HTTPNotFound
        kind, body = self._files[number]["mimetype"], self.bodies.get(number)
        return await wire.send(request, content, body or wire.Body.WHOLE, kind)
