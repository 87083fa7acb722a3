"""The events that a session of the gateway gets, and their fields (B1). No I/O.

Three things decide: the intents that the session asked for, whether the bot may
see the place, and whether it may read what people write.
"""

from dataclasses import dataclass

import discord

from tests.emulators.discord.model import (
    Json,
    Model,
    censor_message,
    copied,
    prune_guild_create,
    required_intent,
)

MESSAGE_CONTENT = 1 << 15
#: The intents that need to be granted: members, presences, what people write.
PRIVILEGED = 1 << 1 | 1 << 8 | MESSAGE_CONTENT
#: Every bit that means something; any other is an invalid intent (4013).
KNOWN = discord.Intents.all().value

#: Events about things that are gone, so that nobody can look them up.
_FAREWELLS = {"CHANNEL_DELETE", "THREAD_DELETE", "GUILD_DELETE"}


@dataclass(frozen=True, slots=True)
class Eyes:
    """The view of one session of the bot."""

    model: Model
    intents: int

    def seen(self, event: str, payload: Json) -> Json | None:
        """Return `payload` as the session gets it; None if it does not."""
        if not self._asked_for(event, payload) or not self._reaches(event, payload):
            return None
        payload = copied(payload)
        if not self.intents & MESSAGE_CONTENT:
            self._censor(event, payload)
        if event == "GUILD_CREATE":
            asked = discord.Intents._from_value(self.intents)
            prune_guild_create(payload, asked, self.model.bot_user.id)
        return payload

    def _asked_for(self, event: str, payload: Json) -> bool:
        intent = required_intent(event, payload)
        if intent is None:
            return True
        return bool(getattr(discord.Intents._from_value(self.intents), intent))

    def _reaches(self, event: str, payload: Json) -> bool:
        """Return whether an event happened in a place that the bot is in and may
        see."""
        if event in _FAREWELLS:
            return True
        guild = payload.get("guild_id") or (event == "GUILD_CREATE" and payload["id"])
        if guild and not self.model.is_in(int(guild)):
            return False
        if event == "INTERACTION_CREATE":
            return True
        about_channel = event.startswith(("CHANNEL_", "THREAD_"))
        channel = payload.get("channel_id") or (about_channel and payload.get("id"))
        if not channel or int(channel) not in self.model.channels:
            return True
        return self.model.sees(int(channel))

    def _censor(self, event: str, payload: Json) -> None:
        """Take out what people wrote, with the exceptions of B1."""
        bot = self.model.bot_user.id
        if event in ("MESSAGE_CREATE", "MESSAGE_UPDATE"):
            censor_message(payload, bot, backend=self.model)
        elif event == "INTERACTION_CREATE" and "message" in payload:
            # The bot's own message, which a button or a select was on.
            censor_message(
                payload["message"], bot, backend=self.model, exempt_root=True
            )
