"""Finds the channel in which urgent cases are announced.

Rule: a channel that a setting names is checked at each use. Nothing is announced if the
bot, or the person who set the channel, may no longer write there. That person is told
once.
"""

from bot.domain.channel_access import refusal
from bot.domain.scope import Scope
from bot.domain.setting import OPERATOR
from bot.messages import triage as messages
from bot.runtime.lru import LruDict
from bot.settings.access import SettingsAccess
from bot.settings.effective import EffectiveSettings, EffectiveValue
from bot.settings.target import OTHER
from bot.text import references

NAME = "triage_announce"

# The most settings that are remembered as reported.
MOST_TOLD = 1_000


class Destinations:
    """Reads the destination of announcements from settings."""

    def __init__(self, access: SettingsAccess) -> None:
        self._access = access
        #: The settings whose authors were told since the process began: scope, value,
        #: author and time.
        self._told: LruDict[tuple[Scope, str, str, float], None] = LruDict(MOST_TOLD)

    async def find(
        self, place: Scope, policy: EffectiveSettings
    ) -> tuple[Scope | None, str]:
        """Return the scope in which a case in `place` is announced, or None; and a
        sentence for the person who set it, or "".

        Raises DeliveryError if their access cannot be looked up now.
        """
        applied = policy.applied[NAME]
        if not applied.value:
            return None, ""
        channel = applied.value.removeprefix(OTHER)
        there = Scope(place.platform, place.workspace, channel)
        by_operator = applied.who == OPERATOR
        found = await self._access.channel_access(
            there, "" if by_operator else applied.who
        )
        why = refusal(found, channel, of_operator=by_operator)
        return (None, self._news(place, applied, why)) if why else (there, "")

    def _news(self, place: Scope, applied: EffectiveValue, why: str) -> str:
        setting = (applied.place, applied.value, applied.who, applied.at)
        if applied.who == OPERATOR or setting in self._told:
            return ""
        self._told[setting] = None
        return messages.nowhere_to_announce(
            channel=references.channel(place.channel), why=why, setting=NAME
        )
