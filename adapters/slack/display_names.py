"""Finds the names of those whom a text of the core refers to, for what is posted: there
a mention would notify them.

Rule: a name is nice to have. Whatever goes wrong while it is looked up, the text is
posted all the same, with the id in its place.
"""

import asyncio
import logging
from collections.abc import Mapping

from adapters.slack.members import People
from adapters.slack.name_cache import NameCache
from bot.errors import ConfigError, DeliveryError
from bot.runtime.background import report
from bot.text import references
from bot.text.references import ReferenceKind

log = logging.getLogger(__name__)

# How long a text waits for names, in seconds: whoever used a control waits with it, and
# Slack for an acknowledgement, for three (facts A10).
PATIENCE = 1.0


class DisplayNames:
    """The names of a workspace's people and groups, for texts."""

    def __init__(self, names: NameCache, people: People) -> None:
        self._names = names
        self._people = people

    async def find(self, text: str) -> Mapping[str, str]:
        """Return the names of people and groups that `text` refers to, by id; those
        that cannot be had now are left out. Never raises."""
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._find(text)
        except (DeliveryError, ConfigError, TimeoutError) as error:
            log.info("slack.nameless_text %s", type(error).__name__)
        except Exception as error:
            report("find names for a text", error)
        return {}

    async def _find(self, text: str) -> Mapping[str, str]:
        named = references.find(text)
        users = {each.id for each in named if each.kind is ReferenceKind.USER}
        found = await self._names.find(sorted(users)) if users else {}
        if any(each.kind is ReferenceKind.GROUP for each in named):
            groups = await self._people.groups()
            found |= {each.value: each.label for each in groups}
        return found
