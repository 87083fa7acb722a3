"""The parts that groups of routes share, and the responses for people and programs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from jinja2 import Environment

from adapters.web.board import Board
from adapters.web.config import WebConfig
from adapters.web.drawing import Drawing
from adapters.web.threads import Threads
from bot.ports.host import Host


@dataclass(frozen=True, slots=True)
class Core:
    """The parts of every server, also of one without pages."""

    settings: WebConfig
    host: Host

    def error(self, path: str, refused: "Refused") -> web.Response:
        """Return the response to a request for `path` that was refused."""
        return problem(refused.status, refused.code, refused.text)


@dataclass(frozen=True, slots=True)
class Context(Core):
    """The parts of the server of the workspace."""

    board: Board
    threads: Threads
    templates: Environment
    drawing: Drawing

    def error(self, path: str, refused: "Refused") -> web.Response:
        """Return JSON for programs, and a page for people."""
        if path.startswith(("/api/", "/local/")):
            return problem(refused.status, refused.code, refused.text)
        values = {"text": refused.text, "status": refused.status}
        return self.page("error.html", values, refused.status)

    def page(
        self, template: str, values: Mapping[str, Any], status: int = 200
    ) -> web.Response:
        """Return a page rendered from `template`."""
        text = self.templates.get_template(template).render(values)
        return web.Response(text=text, content_type="text/html", status=status)

    def fragment(self, template: str, values: Mapping[str, Any]) -> str:
        """Return part of a page, rendered from `template`."""
        return self.templates.get_template(template).render(values)


NO_HEADERS: Mapping[str, str] = {}


class Refused(Exception):
    """The request is refused; `code` is for programs, `text` for people."""

    def __init__(
        self, status: int, code: str, text: str, headers: Mapping[str, str] = NO_HEADERS
    ) -> None:
        super().__init__(code)
        self.headers = headers
        self.status = status
        self.code = code
        self.text = text


def problem(status: int, code: str, text: str) -> web.Response:
    """Return an error as JSON."""
    return web.json_response({"code": code, "message": text}, status=status)
