"""Signs in to Slack with both tokens, and explains what is wrong with them."""

from adapters.slack.client import Identity, SlackClient
from adapters.slack.config import SlackConfig
from bot.errors import (
    AccessRevoked,
    ConfigError,
    DeliveryError,
    Throttled,
)


async def sign_in(client: SlackClient) -> Identity:
    """Return the owner of the bot token. Raises ConfigError."""
    try:
        return await client.identify()
    except AccessRevoked as error:
        raise ConfigError(f"SLACK_BOT_TOKEN is not accepted. {error}") from error
    except DeliveryError as error:
        raise ConfigError(_unreachable(error)) from error


async def try_socket(client: SlackClient, config: SlackConfig) -> str | None:
    """Return the address of a Socket Mode connection, opened to test the token; None if
    that is rate limited. Raises ConfigError.
    """
    try:
        return await client.open_socket(config.app_token)
    except AccessRevoked as error:
        raise ConfigError(
            "SLACK_APP_TOKEN is not accepted: "
            "create an app-level token with the scope connections:write "
            "under Basic Information on the app's page."
        ) from error
    except Throttled:
        # Slack knows the token, then.
        return None
    except DeliveryError as error:
        raise ConfigError(
            f"Slack does not open a Socket Mode connection ({error}): switch on "
            "Socket Mode on the app's page, and check the network."
        ) from error


def _unreachable(error: DeliveryError) -> str:
    return (
        f"Slack cannot be reached ({error}): check the network, the proxy "
        "settings and SLACK_API_URL."
    )
