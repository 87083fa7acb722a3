"""Tests both of Slack's tokens, and explains the problems with them."""

from adapters.slack.client import Identity, SlackClient
from adapters.slack.config import SlackConfig
from bot.errors import (
    AccessRevoked,
    ConfigError,
    DeliveryError,
    Throttled,
)
from bot.messages import config as messages


async def sign_in(client: SlackClient) -> Identity:
    """Return the owner of the bot token. Raises ConfigError."""
    try:
        return await client.identify()
    except AccessRevoked as error:
        raise ConfigError(
            messages.token_refused(variable="SLACK_BOT_TOKEN", error=error)
        ) from error
    except DeliveryError as error:
        raise ConfigError(_unreachable(error)) from error


async def try_socket(client: SlackClient, config: SlackConfig) -> str | None:
    """Test the app token by requesting the address of a Socket Mode connection, and
    return the address; None if the call is rate limited. Raises ConfigError.
    """
    try:
        return await client.open_socket(config.app_token)
    except AccessRevoked as error:
        raise ConfigError(messages.SLACK_APP_TOKEN_REFUSED) from error
    except Throttled:
        # Slack limits the rate only of tokens that it accepts.
        return None
    except DeliveryError as error:
        raise ConfigError(messages.no_socket(error=error)) from error


def _unreachable(error: DeliveryError) -> str:
    return messages.slack_unreachable(error=error)
