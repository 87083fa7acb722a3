"""The files that people attach, and their download (A15).

Rule: without the bot's token, or without files:read, Slack answers with its login
page and HTTP 200, not with an error.
"""

from collections.abc import Callable

from aiohttp import web

from tests.emulators.slack.blocks import Json
from tests.emulators.slack.world import World

LOGIN_PAGE = "<!DOCTYPE html><html><body>Sign in to Slack</body></html>"

_TYPES = {
    "csv": "text/csv",
    "md": "text/markdown",
    "pdf": "application/pdf",
    "png": "image/png",
    "txt": "text/plain",
}


class Files:
    """What was uploaded."""

    def __init__(self, world: World, *, trusts: Callable[[web.Request], bool]) -> None:
        self._world = world
        self._trusts = trusts
        self._contents: dict[str, bytes] = {}
        self._files: dict[str, Json] = {}

    def add(
        self, name: str, content: bytes, *, host: str, number: str | None = None
    ) -> Json:
        """Keep a file; return what a message says of it (A1.3)."""
        number = number or self._world.number("F")
        self._contents[number] = content
        ending = name.rpartition(".")[2]
        url = f"http://{host}/files/{number}/{name}"
        file = self._files[number] = {
            "id": number,
            "name": name,
            "title": name,
            "mimetype": _TYPES.get(ending, "application/octet-stream"),
            "filetype": ending,
            "size": len(content),
            "mode": "hosted",
            "url_private": url,
            "url_private_download": url,
            "file_access": "visible",
        }
        return file

    def json(self, number: str) -> Json | None:
        """What a message says of a file, or None."""
        return self._files.get(number)

    def content(self, number: str) -> bytes:
        """What is in a file. Raises KeyError."""
        return self._contents[number]

    async def serve(self, request: web.Request) -> web.Response:
        """Answer a download."""
        if not self._trusts(request):
            return web.Response(text=LOGIN_PAGE, content_type="text/html")
        content = self._contents.get(request.match_info["file"])
        if content is None:
            raise web.HTTPNotFound
        return web.Response(body=content)
