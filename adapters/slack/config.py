"""Reads the configuration of the Slack adapter from the environment."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from adapters.slack.native_streams import Mode
from bot.errors import ConfigError
from bot.messages import check as check_messages
from bot.messages import config as messages
from bot.text import addresses
from bot.text.addresses import Listening
from bot.text.numbers import number
from bot.text.redaction import quote

#: The core's name of this platform.
PLATFORM = "slack"

PUBLIC_API = "https://slack.com/api/"

# The most connections of one app (facts A4).
MOST_CONNECTIONS = 10

#: Bolt's own port (facts A9.3).
DEFAULT_HTTP = Listening("127.0.0.1", 3000)

# A secret has no "-", which all tokens have.
_SECRET = re.compile(r"[0-9A-Za-z]{16,128}")
_CLIENT = re.compile(r"[0-9]{3,20}\.[0-9]{3,20}")

_OAUTH = ("SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET", "SLACK_REDIRECT_URL")


@dataclass(frozen=True, slots=True)
class SlackConfig:
    """Tokens, secrets and addresses of one Slack app."""

    bot_token: str = field(repr=False)
    app_token: str = field(repr=False)
    api_url: str = PUBLIC_API
    streams: Mode = Mode.AUTO
    #: How many connections of Socket Mode this process opens.
    connections: int = 1
    #: The secret that verifies Slack's requests; "" for an app that gets no requests.
    signing_secret: str = field(default="", repr=False)
    #: The address at which Slack's requests are received and people install the app.
    http: Listening = DEFAULT_HTTP
    #: The credentials of an app that workspaces install themselves; "" for an app with
    #: a fixed token.
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    #: The address that Slack redirects people to after they consent; "" if the app has
    #: only one.
    redirect_url: str = ""

    @property
    def is_distributed(self) -> bool:
        """True if workspaces install the app themselves, with OAuth."""
        return bool(self.client_id)

    @classmethod
    def from_env(cls, env: Mapping[str, str], *, listens: bool = True) -> "SlackConfig":
        """Read `env`. A process that does not listen needs only the bot token. Raises
        ConfigError that names every problem at once."""
        bot_token = env.get("SLACK_BOT_TOKEN", "").strip()
        app_token = env.get("SLACK_APP_TOKEN", "").strip()
        api_url = env.get("SLACK_API_URL", "").strip() or PUBLIC_API
        client_id, client_secret, redirect_url, problems = _distribution(env)
        if client_id and bot_token:
            problems.append(messages.SLACK_TOKEN_AND_OAUTH)
        elif not client_id:
            problems += _problems(
                "SLACK_BOT_TOKEN", bot_token, "xoxb-", messages.SLACK_BOT_TOKEN_PLACE
            )
        secret = env.get("SLACK_SIGNING_SECRET", "").strip()
        written = env.get("THREADKEEP_SLACK_HTTP", "").strip()
        http = addresses.listening(written) if written else DEFAULT_HTTP
        if listens and (app_token or not secret):
            problems += _problems(
                "SLACK_APP_TOKEN", app_token, "xapp-", messages.SLACK_APP_TOKEN_PLACE
            )
        if secret and not _SECRET.fullmatch(secret):
            where = messages.SLACK_SIGNING_SECRET_PLACE
            problems.append(messages.not_a_signing_secret(where=where))
        if http is None:
            problems.append(messages.not_a_slack_http_address(written=quote(written)))
        elif written and not (secret or client_id):
            problems.append(messages.SLACK_HTTP_ALONE)
        connections = env.get("SLACK_CONNECTIONS", "").strip() or "1"
        count = number(connections) or 0
        if not 1 <= count <= MOST_CONNECTIONS:
            problems.append(
                messages.not_a_number(
                    variable="SLACK_CONNECTIONS",
                    least=1,
                    most=MOST_CONNECTIONS,
                    written=quote(connections),
                )
            )
        if wrong := addresses.problem("SLACK_API_URL", api_url):
            problems.append(wrong)
        streams = env.get("SLACK_NATIVE_STREAMS", "").strip().lower() or Mode.AUTO.value
        modes = [mode.value for mode in Mode]
        if streams not in modes:
            problems.append(
                messages.not_a_choice(
                    variable="SLACK_NATIVE_STREAMS",
                    choices=", ".join(modes),
                    written=quote(streams),
                )
            )
        if problems:
            raise ConfigError(*problems)
        assert http is not None
        return cls(
            *(bot_token, app_token, api_url, Mode(streams), count),
            signing_secret=secret,
            http=http,
            client_id=client_id,
            client_secret=client_secret,
            redirect_url=redirect_url,
        )


#: Reads the configuration. Every platform's module has a function of this name.
read = SlackConfig.from_env

#: The name of the platform in a check, and the texts for a token that is not set and
#: for one that is set.
REPORTED = (
    *(check_messages.SLACK, check_messages.SLACK_NOT_SET),
    check_messages.SLACK_SET,
)


def is_configured(env: Mapping[str, str]) -> bool:
    """Return whether any Slack token, secret or OAuth setting is set."""
    names = ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET")
    return any(env.get(name) for name in (*names, *_OAUTH))


def _distribution(env: Mapping[str, str]) -> tuple[str, str, str, list[str]]:
    """Return the client id, the client secret and the redirect address of an app that
    workspaces install themselves, and the problems with them. The first three are ""
    for an app with a fixed token."""
    id, secret, url = (env.get(name, "").strip() for name in _OAUTH)
    problems = []
    where = messages.SLACK_SIGNING_SECRET_PLACE
    if bool(id) != bool(secret):
        problems.append(messages.SLACK_OAUTH_HALF)
    elif url and not id:
        problems.append(messages.SLACK_REDIRECT_ALONE)
    if id and not _CLIENT.fullmatch(id):
        problems.append(messages.not_a_client_id(where=where))
    if secret and not _SECRET.fullmatch(secret):
        problems.append(messages.not_a_client_secret(where=where))
    if id and not env.get("THREADKEEP_KEYS", "").strip():
        problems.append(messages.NO_KEYS)
    if url and (wrong := addresses.problem("SLACK_REDIRECT_URL", url)):
        problems.append(wrong)
    return id, secret, url, problems


def _problems(name: str, token: str, prefix: str, where: str) -> list[str]:
    if not token:
        return [messages.token_missing(variable=name, where=where)]
    if not token.startswith(prefix):
        # Do not show the value, since it may be the other token.
        return [messages.token_prefix(variable=name, prefix=prefix, where=where)]
    if not all("!" <= char <= "~" for char in token):
        # Refused here, because the HTTP library quotes such a token in its error.
        return [messages.token_character(variable=name, where=where)]
    return []
