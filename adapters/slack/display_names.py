"""Looks up display names for a posted text, in which mentions would notify people.

Rule: names are optional. If a look-up fails, the text is posted with the id.
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

# How long a text waits for names, in seconds: the person who used a control waits, too,
# and Slack waits three seconds for an acknowledgement (facts A10).
PATIENCE = 1.0


class DisplayNames:
    """The names of a workspace's people and groups."""

    def __init__(self, names: NameCache, people: People) -> None:
        self._names = names
        self._people = people

    async def find(self, text: str) -> Mapping[str, str]:
        """Return the names of the people and groups in `text`, by id. Names that cannot
        be looked up now are left out. Never raises."""
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._find(text)
        except (DeliveryError, ConfigError, TimeoutError) as error:
            log.info("slack.nameless_text %s", type(error).__name__)
        except Exception as error:
            # An unexpected error must not keep the text from being posted.
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
