"""The bot's application: its intents, its commands and its session starts (B1, B7)."""

import re
from typing import Any

from tests.emulators.discord import refusals
from tests.emulators.discord.model import Json, Model, Refused, Request

#: B1: the number of identifies that a bot has per day.
IDENTIFIES = 1_000

#: B1: the most guilds of one shard.
GUILDS_OF_SHARD = 2_500

#: B1: the flag for message content of a bot in few guilds.
CONTENT_LIMITED = 1 << 19

#: B7: the most characters of a command with all its parts.
MOST_TEXT = 8_000

_NAME = re.compile(r"[-_'\w]{1,32}")


class App:
    """The bot's application in the developer portal."""

    def __init__(self, model: Model, *, message_content: bool) -> None:
        #: Whether it was granted the message content intent.
        self.may_read = message_content
        #: The bits of the other privileged intents that it was granted (members,
        #: presences).
        self.granted = 0
        #: Whether anybody may add it to their server.
        self.public = True
        self.identifies_left = IDENTIFIES
        self.max_concurrency = 1
        self.shards = 1
        self.guilds_of_shard = GUILDS_OF_SHARD
        #: How often commands were registered.
        self.command_puts = 0
        self.gateway_url = ""
        self._model = model

    @property
    def commands(self) -> list[Json]:
        """The registered commands. Those of another emulator may be set here instead of
        being registered again."""
        return list(self._model.commands.get(None, {}).values())

    @commands.setter
    def commands(self, registered: list[Json]) -> None:
        by_name = {(each["name"], each["type"]): each for each in registered}
        self._model.commands[None] = by_name

    def answers(self, method: str, path: list[str]) -> bool:
        """Return whether a request is about the application itself."""
        match method, path:
            case "GET", ["gateway"] | ["gateway", "bot"]:
                return True
            case "GET", ["oauth2", "applications", "@me"] | ["applications", "@me"]:
                return True
            case "PUT", ["applications", _, "commands"]:
                return True
        return False

    def answer(self, method: str, path: list[str], request: Request) -> Any:
        """Answer a request for which `answers` is true."""
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
            "bot_public": self.public,
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
            if (held := command.get("default_member_permissions")) is not None:
                # B7: Discord returns it as a string, whatever type it was sent as.
                command["default_member_permissions"] = str(held)
            # The model knows no commands for adults.
            if not command.get("nsfw"):
                command.pop("nsfw", None)
        kinds = [command.get("type", 1) for command in commands]
        # B7: the limits for each kind, in each scope.
        if kinds.count(1) > 100 or kinds.count(2) > 15 or kinds.count(3) > 15:
            raise Refused(400, 30032, "Maximum number of commands reached")
        return self._model.register_commands(None, commands)


def _check(command: Json) -> None:
    """Raise Refused if a command is invalid (B7)."""
    name, about = str(command.get("name", "")), str(command.get("description", ""))
    typed = command.get("type", 1) == 1
    if typed and (not _NAME.fullmatch(name) or name != name.lower()):
        raise refusals.invalid("name", "APPLICATION_COMMAND_INVALID_NAME", name)
    if not 1 <= len(name) <= 32:
        raise refusals.too_long("name", 32)
    if typed and not 1 <= len(about) <= 100:
        raise refusals.too_long("description", 100)
    _check_options(command, may_hold={1, 2})
    if _text(command) > MOST_TEXT:
        raise refusals.too_long("command", MOST_TEXT)


def _check_options(command: Json, *, may_hold: set[int]) -> None:
    """Raise Refused if the options of a command, or of its parts, are invalid (B7)."""
    options = command.get("options") or []
    if len(options) > 25 or any(len(o.get("choices") or ()) > 25 for o in options):
        raise refusals.too_long("options", 25)
    for option in options:
        name, about = str(option.get("name", "")), str(option.get("description", ""))
        if not _NAME.fullmatch(name) or not 1 <= len(about) <= 100:
            raise refusals.invalid("options", "APPLICATION_COMMAND_INVALID_NAME", name)
        if option.get("choices") and option.get("autocomplete"):
            raise refusals.invalid("options", "CHOICES_AND_AUTOCOMPLETE", name)
        for choice in option.get("choices") or ():
            if not 1 <= len(choice["name"]) <= 100 or len(str(choice["value"])) > 100:
                raise refusals.too_long("choices", 100)
        if option["type"] in {1, 2} - may_hold:
            raise refusals.invalid("options", "APPLICATION_COMMAND_OPTIONS_TYPE", name)
        # A group (2) holds commands (1), and these hold neither.
        _check_options(option, may_hold={1} if option["type"] == 2 else set())
    optional = False
    for option in options:
        if option["type"] > 2 and option.get("required") and optional:
            raise refusals.invalid("options", "REQUIRED_AFTER_OPTIONAL", name)
        optional = optional or not option.get("required")


def _text(part: Json) -> int:
    """Return the characters of a command: names, descriptions and values (B7)."""
    total = sum(len(str(part.get(key) or "")) for key in ("name", "description"))
    choices = part.get("choices") or ()
    total += sum(len(each["name"]) + len(str(each["value"])) for each in choices)
    return total + sum(map(_text, part.get("options") or ()))
