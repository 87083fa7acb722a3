"""Posts a message whose event must arrive, and deletes the message."""

from adapters.slack.client import SlackClient
from bot.messages.check import PROBE


class SlackProber:
    """`bot.ports.platform.Prober` of one workspace."""

    def __init__(self, client: SlackClient) -> None:
        self._client = client

    async def probe(self, channel: str) -> str:
        """Post a probe in `channel`; return its ts. Raises DeliveryError."""
        answer = await self._client.call(
            "chat.postMessage", channel=channel, text=PROBE
        )
        return str(answer["ts"])

    async def remove(self, channel: str, message: str) -> None:
        """Delete a probe. Raises DeliveryError."""
        await self._client.call_when_allowed("chat.delete", channel=channel, ts=message)
