"""Files on messages: public for a day, at a signed address (B5)."""

import hashlib
import re
from collections.abc import Callable
from urllib.parse import unquote

from aiohttp import web

from tests.emulators import wire
from tests.emulators.discord.model import CDN_BASE, Model

#: B5: about how long the address of a file is valid, in seconds.
A_DAY = 86_400.0

_ADDRESS = re.compile(re.escape(CDN_BASE) + r'(/attachments/[^"?]+)')


class Files:
    """Serves the files of the model."""

    def __init__(self, model: Model, *, now: Callable[[], float]) -> None:
        #: Whether all files are gone.
        self.lost = False
        #: How the bytes of a file arrive, by its id.
        self.bodies: dict[str, wire.Body] = {}
        #: The downloads: path and Authorization.
        self.served: list[tuple[str, str]] = []
        #: Answers in place of the next downloads.
        self.statuses: list[int] = []
        self._model = model
        self._now = now

    def signed(self, text: str, host: str) -> str:
        """Return JSON with the model's addresses replaced by ours, valid for a day from
        now."""
        since, until = f"{int(self._now()):x}", f"{int(self._now() + A_DAY):x}"

        def address(match: re.Match[str]) -> str:
            proof = _signature(unquote(match[1]), until, since)
            return f"{host}{match[1]}?ex={until}&is={since}&hm={proof}"

        return _ADDRESS.sub(address, text)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer with a file."""
        self.served.append((request.path, request.headers.get("Authorization", "")))
        if self.statuses:
            return web.Response(status=self.statuses.pop(0), headers={"Location": "/"})
        content = self._model.cdn.get(CDN_BASE + request.path)
        until, since = (request.query.get(name, "0") for name in ("ex", "is"))
        good = request.query.get("hm") == _signature(request.path, until, since)
        if content is None or not good or int(until, 16) < self._now() or self.lost:
            return web.Response(status=404, text="This content is no longer available.")
        body = self.bodies.get(request.match_info["file"], wire.Body.WHOLE)
        return await wire.send(request, content, body, "application/octet-stream")


def _signature(path: str, until: str, since: str) -> str:
    return hashlib.sha256(f"{path} {until} {since}".encode()).hexdigest()
