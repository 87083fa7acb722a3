"""The bot as an application: what it was granted, its commands, its starts (B1, B7)."""

import re
from typing import Any

from tests.emulators.discord import refusals
from tests.emulators.discord.model import Json, Model, Refused, Request

#: B1: how often a bot may identify in a day.
IDENTIFIES = 1_000

#: B1: what the flags say of message content for a bot in few guilds.
CONTENT_LIMITED = 1 << 19

_NAME = re.compile(r"[-_'\w]{1,32}")


class App:
    """What the developer portal knows of the bot."""

    def __init__(self, model: Model, *, message_content: bool) -> None:
        #: Whether it was granted what people write.
        self.may_read = message_content
        #: Whether it was granted the lists of members, or who is there.
        self.granted = 0
        self.identifies_left = IDENTIFIES
        self.max_concurrency = 1
        self.shards = 1
        #: How often commands were registered.
        self.command_puts = 0
        self.gateway_url = ""
        self._model = model

    def answers(self, method: str, path: list[str]) -> bool:
        """Whether a request is about the application itself."""
        match method, path:
            case "GET", ["gateway"] | ["gateway", "bot"]:
                return True
            case "GET", ["oauth2", "applications", "@me"] | ["applications", "@me"]:
                return True
            case "PUT", ["applications", _, *_, "commands"]:
                return True
        return False

    def answer(self, method: str, path: list[str], request: Request) -> Any:
        """Answer a request of which `answers` is true."""
        match path:
            case ["gateway"]:
                return {"url": self.gateway_url}
            case ["gateway", "bot"]:
                return self._gateway()
            case [*_, "@me"]:
                return self._about()
            case _:
                return self._register(request)

    def _gateway(self) -> Json:
        return {
            "url": self.gateway_url,
            "shards": self.shards,
            "session_start_limit": {
                "total": IDENTIFIES,
                "remaining": self.identifies_left,
                "reset_after": 14_400_000,
                "max_concurrency": self.max_concurrency,
            },
        }

    def _about(self) -> Json:
        bot = self._model.user(self._model.bot_user.id)
        return {
            "id": str(self._model.application_id),
            "name": bot["username"],
            "icon": None,
            "description": "",
            "summary": "",
            "bot_public": True,
            "bot_require_code_grant": False,
            "verify_key": "0" * 64,
            "owner": bot,
            "team": None,
            "bot": bot,
            "flags": CONTENT_LIMITED if self.may_read else 0,
            "approximate_guild_count": len(self._model.guilds),
        }

    def _register(self, request: Request) -> Any:
        self.command_puts += 1
        commands = request.body if isinstance(request.body, list) else []
        for command in commands:
            _check(command)
        kinds = [command.get("type", 1) for command in commands]
        # B7: of each kind, in each scope.
        if kinds.count(1) > 100 or kinds.count(2) > 15 or kinds.count(3) > 15:
            raise Refused(400, 30032, "Maximum number of commands reached")
        return self._model.request(request, may_read=self.may_read)


def _check(command: Json) -> None:
    """B7: what a command may look like."""
    name, about = str(command.get("name", "")), str(command.get("description", ""))
    typed = command.get("type", 1) == 1
    if typed and (not _NAME.fullmatch(name) or name != name.lower()):
        raise refusals.invalid("name", "APPLICATION_COMMAND_INVALID_NAME", name)
    if not 1 <= len(name) <= 32:
        raise refusals.too_long("name", 32)
    if typed and not 1 <= len(about) <= 100:
        raise refusals.too_long("description", 100)
    options = command.get("options") or []
    if len(options) > 25 or any(len(o.get("choices") or ()) > 25 for o in options):
        raise refusals.too_long("options", 25)
