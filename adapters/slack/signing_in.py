"""Signs in to Slack with both tokens, and explains what is wrong with them."""

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
    """Return the address of a Socket Mode connection, opened to test the token; None if
    that is rate limited. Raises ConfigError.
    """
    try:
        return await client.open_socket(config.app_token)
    except AccessRevoked as error:
        raise ConfigError(messages.SLACK_APP_TOKEN_REFUSED) from error
    except Throttled:
        # Slack knows the token, then.
        return None
    except DeliveryError as error:
        raise ConfigError(messages.no_socket(error=error)) from error


def _unreachable(error: DeliveryError) -> str:
    return messages.slack_unreachable(error=error)
