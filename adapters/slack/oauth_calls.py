"""Calls oauth.v2.access, and maps its errors to ours (Slack's page of the method;
platform facts A11).

Rule: errors contain neither codes nor tokens, so they are raised without a cause.
"""

from collections.abc import Mapping
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.config import SlackConfig
from adapters.slack.refusals import DEFAULT_PAUSE, LIMITED
from bot.errors import AccessRevoked, DeliveryError, Throttled
from bot.messages import installations as messages

METHOD = "oauth.v2.access"

_SECRET = {"bad_client_secret", "invalid_client_id"}
_CODE = {"code_already_used", "invalid_code"}
_ADDRESS = {"bad_redirect_uri", "oauth_authorization_url_mismatch"}
_SPENT = {"invalid_refresh_token", "token_revoked", "account_inactive"}


class SecretRefused(DeliveryError):
    """Slack does not accept the app's id, secret or redirect address, which only the
    operator can correct."""


class CodeRefused(DeliveryError):
    """The code was used before or has expired."""


async def exchange_code(
    web: AsyncWebClient, config: SlackConfig, code: str
) -> Mapping[str, Any]:
    """Exchange `code` and return Slack's answer. Raises SecretRefused, CodeRefused or
    another DeliveryError."""
    return await _call(web, config, code=code, redirect_uri=config.redirect_url or None)


async def refresh(
    web: AsyncWebClient, config: SlackConfig, token: str
) -> Mapping[str, Any]:
    """Exchange the refresh token `token` and return Slack's answer with new tokens.
    Raises AccessRevoked if the refresh token was spent before, or DeliveryError."""
    return await _call(web, config, grant_type="refresh_token", refresh_token=token)


async def _call(
    web: AsyncWebClient, config: SlackConfig, **arguments: str | None
) -> Mapping[str, Any]:
    try:
        response = await web.oauth_v2_access(
            client_id=config.client_id, client_secret=config.client_secret, **arguments
        )
    except SlackApiError as error:
        raise _meaning(error) from None
    except (TimeoutError, SlackClientError, aiohttp.ClientError) as error:
        raise DeliveryError(f"{METHOD}: {type(error).__name__}") from None
    answer = response.data
    if not isinstance(answer, dict):
        raise DeliveryError(f"{METHOD}: Slack's answer cannot be read")
    return answer


def _meaning(error: SlackApiError) -> Exception:
    data = getattr(error.response, "data", None)
    code = str(data.get("error", "")) if isinstance(data, dict) else ""
    status = getattr(error.response, "status_code", 0)
    message = f"{METHOD}: {code or f'HTTP {status}'}"
    if status == 429 or code in LIMITED:
        return Throttled(message, DEFAULT_PAUSE)
    if code in _SECRET:
        return SecretRefused(messages.secret_refused(error=code))
    if code in _ADDRESS:
        return SecretRefused(messages.redirect_refused(error=code))
    if code in _CODE:
        return CodeRefused(message)
    return AccessRevoked(message) if code in _SPENT else DeliveryError(message)
