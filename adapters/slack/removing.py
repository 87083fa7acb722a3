"""Gives a token back to Slack, for an operator who removes a workspace."""

from collections.abc import Mapping

from adapters.slack.client import SlackClient, open_client, web_client
from adapters.slack.config import SlackConfig


async def give_back(env: Mapping[str, str], token: str) -> None:
    """End `token`, with which Slack lists the app as installed. Raises ConfigError or
    DeliveryError."""
    config = SlackConfig.from_env(env, listens=False)
    async with open_client(config) as client:
        session = client.web.session
        assert session is not None
        await SlackClient(web_client(config, session, token)).call("auth.revoke")
