"""Replaces mentions in a typed prompt by names.

Adapters pass mentions on as settings name people and channels ("user:1"). Nobody typed
that into a prompt, and Claude knows no ids: its authors and readers see names.

Rule: the name of a channel is shown only to people who may read there.
"""

import logging
import re

from bot.domain.person import Person
from bot.domain.scope import Scope
from bot.errors import DeliveryError
from bot.settings.access import SettingsAccess
from bot.settings.options import BY_NAME
from bot.ui.elements import Command

log = logging.getLogger(__name__)

# The most mentions that are looked up.
MOST = 20

_MENTION = re.compile(r"\b(user|channel):([A-Za-z0-9]{1,32}+)\b")


async def with_names(
    command: Command, here: Scope, person: Person, access: SettingsAccess
) -> Command:
    """Return `command` with names for mentions in the prompt that it sets. Mentions
    without a known name are kept."""
    field = _prompt_field(command)
    text = command.arguments.get(field, "")
    found = dict.fromkeys((each[1], each[2]) for each in _MENTION.finditer(text))
    names: dict[tuple[str, str], str] = {}
    for kind, id in list(found)[:MOST]:
        try:
            names[kind, id] = await _name(kind, id, here, person, access)
        except DeliveryError as error:
            log.info("prompt.unnamed place=%s %s", here, error)
    if not any(names.values()):
        return command

    def named(match: re.Match[str]) -> str:
        return names.get((match[1], match[2])) or match[0]

    return command.having({field: _MENTION.sub(named, text)})


def _prompt_field(command: Command) -> str:
    """Return the argument with the typed prompt; "" if there is none. A file is not
    typed."""
    option = BY_NAME.get(command.arguments.get("option", ""))
    is_typed = "file" not in command.arguments
    return "value" if is_typed and option and option.versioned else ""


async def _name(
    kind: str, id: str, here: Scope, person: Person, access: SettingsAccess
) -> str:
    """Return the name of a person or channel, with its sign; "" if `person` may not
    know it, or there is none. Raises DeliveryError."""
    if kind == "user":
        found = await access.names(here, id)
        return f"@{found.person}" if found.person else ""
    there = Scope(here.platform, here.workspace, id)
    rights = await access.channel_access(there, person.id)
    return (await access.names(there)).channel if rights.reads else ""
