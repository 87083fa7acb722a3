"""Decides which events a session of the gateway receives, and with which fields (B1).
No I/O.

The decision depends on the intents that the session asked for, on whether the bot may
see the place, and on the message content intent.
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
#: The intents that must be granted: members, presences, message content.
PRIVILEGED = 1 << 1 | 1 << 8 | MESSAGE_CONTENT
#: All valid bits. Any other bit is an invalid intent (4013).
KNOWN = discord.Intents.all().value

#: Events about deleted objects, which cannot be looked up.
_FAREWELLS = {"CHANNEL_DELETE", "THREAD_DELETE", "GUILD_DELETE"}


@dataclass(frozen=True, slots=True)
class Eyes:
    """The view of one session of the bot."""

    model: Model
    intents: int

    def seen(self, event: str, payload: Json) -> Json | None:
        """Return `payload` as the session receives it, or None if it does not receive
        it."""
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
        """Return whether the bot may see the place of an event."""
        if event in _FAREWELLS:
            return True
        guild = payload.get("guild_id") or (event == "GUILD_CREATE" and payload["id"])
        if guild and (
            not self.model.is_in(int(guild)) or int(guild) in self.model.unavailable
        ):
            return False
        if event == "INTERACTION_CREATE":
            return True
        about_channel = event.startswith(("CHANNEL_", "THREAD_"))
        channel = payload.get("channel_id") or (about_channel and payload.get("id"))
        if not channel or int(channel) not in self.model.channels:
            return True
        return self.model.sees(int(channel))

    def _censor(self, event: str, payload: Json) -> None:
        """Remove the content of people's messages, with the exceptions of B1."""
        bot = self.model.bot_user.id
        if event in ("MESSAGE_CREATE", "MESSAGE_UPDATE"):
            censor_message(payload, bot, backend=self.model)
        elif event == "INTERACTION_CREATE" and "message" in payload:
            # The bot's own message with the button or menu.
            censor_message(
                payload["message"], bot, backend=self.model, exempt_root=True
            )
