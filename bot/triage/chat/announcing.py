"""Says where what is most urgent is announced, as long as it may be.

Rule: a channel that was named once is looked at each time it is used. Nothing is
announced where whoever named it could not say it themself by now, or where the bot may
not write; and they are told so, once.
"""

from bot.domain.channel_access import refusal
from bot.domain.scope import Scope
from bot.domain.setting import OPERATOR
from bot.runtime.lru import LruDict
from bot.settings.access import SettingsAccess
from bot.settings.effective import EffectiveSettings, EffectiveValue
from bot.settings.target import OTHER

NAME = "triage_announce"

# Of how many settings it is remembered that somebody was told.
MOST_TOLD = 1_000


class Destinations:
    """Where to announce, by what admins set."""

    def __init__(self, authority: SettingsAccess) -> None:
        self._authority = authority
        #: The settings that whoever made them was told of. One for each channel whose
        #: setting stopped holding since this process began.
        self._told: LruDict[tuple[Scope, str, str, float], None] = LruDict(MOST_TOLD)

    async def find(
        self, place: Scope, policy: EffectiveSettings
    ) -> tuple[Scope | None, str]:
        """Return where a message at `place` is announced, or None for nowhere; and the
        sentence that whoever set it has to be told now, or "".

        Raises DeliveryError when what they may cannot be found out now.
        """
        applied = policy.applied[NAME]
        if not applied.value:
            return None, ""
        channel = applied.value.removeprefix(OTHER)
        there = Scope(place.platform, place.workspace, channel)
        by_operator = applied.who == OPERATOR
        access = await self._authority.access(there, "" if by_operator else applied.who)
        why = refusal(access, channel, of_operator=by_operator)
        return (None, self._news(place, applied, why)) if why else (there, "")

    def _news(self, place: Scope, applied: EffectiveValue, why: str) -> str:
        told = (applied.place, applied.value, applied.who, applied.at)
        if applied.who == OPERATOR or told in self._told:
            return ""
        self._told[told] = None
        return (
            f"You set where urgent messages of channel:{place.channel} are announced, "
            f"and that can no longer be done. {why} Until then they are announced "
            f"nowhere; `set {NAME}` changes it."
        )
