"""Revokes the token of a workspace that an operator removes."""

from collections.abc import Mapping

from adapters.slack.client import SlackClient, open_client, web_client
from adapters.slack.config import SlackConfig


async def give_back(env: Mapping[str, str], token: str) -> None:
    """Revoke `token`, so that Slack does not list the app as installed any more. Raises
    ConfigError or DeliveryError."""
    config = SlackConfig.from_env(env, listens=False)
    async with open_client(config) as client:
        session = client.web.session
        assert session is not None
        await SlackClient(web_client(config, session, token)).call("auth.revoke")
