"""Files on messages: public, but only for a day (B5)."""

import re
from collections.abc import Callable

from aiohttp import web

from tests.emulators.discord.model import CDN_BASE, Model

#: B5: about how long the address of a file works.
A_DAY = 86_400.0

_ADDRESS = re.compile(re.escape(CDN_BASE) + r'(/attachments/[^"?]+)')


class Files:
    """Serves what the model keeps."""

    def __init__(self, model: Model, *, now: Callable[[], float]) -> None:
        #: Whether nothing of it can be had any more.
        self.lost = False
        self._model = model
        self._now = now

    def signed(self, text: str, host: str) -> str:
        """JSON with the model's addresses made ours, good for a day from now."""
        until = f"?ex={int(self._now() + A_DAY):x}&is={int(self._now()):x}&hm=0"
        return _ADDRESS.sub(lambda match: f"{host}{match[1]}{until}", text)

    async def serve(self, request: web.Request) -> web.Response:
        """Answer with a file."""
        content = self._model.cdn.get(CDN_BASE + request.path)
        expires = int(request.query.get("ex", "0"), 16)
        if content is None or expires < self._now() or self.lost:
            return web.Response(status=404, text="This content is no longer available.")
        return web.Response(body=content)
