"""Messages about the operator's configuration: variables, `.env` and files.

Each message names its variable, and never quotes a value that may be a token or key.
"""

DOTENV_NOT_UTF8 = ".env is not UTF-8 text: save it as UTF-8."
IN_ENVIRONMENT = "in the environment"
BAD_DATABASE_PATH = "THREADKEEP_DB has a character that no path has."
BAD_DATABASE_SCHEME = (
    "THREADKEEP_DB is an address, but not one of PostgreSQL; write "
    "postgresql://USER:PASSWORD@HOST/DATABASE, or the path of a file."
)


def database_is_directory(*, path: object) -> str:
    return f"THREADKEEP_DB is the directory {path}; name a file in it."


def unusable_database_path(*, reason: str) -> str:
    return f"THREADKEEP_DB cannot be used ({reason}); name another file."


NOT_SUCH_A_WORKSPACE = (
    "is none of these: a Slack workspace (slack:T0123ABC), a Discord server "
    "(discord:1234567890), direct messages on Discord (discord:@me), all workspaces "
    "(slack:*) or all servers (discord:*)."
)
NOT_SUCH_PEOPLE = (
    "is none of these: a person (slack:U0123ABC, discord:1234567890), a user group or "
    "role (slack:group:S0123ABC, discord:group:1234567890), or everybody on a "
    "platform (slack:everyone)."
)

# Replaces a value that must not be quoted.
A_CREDENTIAL = "this value, which looks like a token or key"


def long_text(*, length: int) -> str:
    return f"this text of {length:,} characters"


def dotenv_unreadable(*, reason: object) -> str:
    return f".env cannot be read: {reason}."


def dotenv_line(*, line: int) -> str:
    return f"Line {line} of .env sets nothing: write NAME=value, or # before a comment."


def dotenv_quotes(*, line: int) -> str:
    return (
        f"Line {line} of .env sets nothing, because its quotes do not match: write one "
        "quote before the value and the same after it."
    )


def dotenv_twice(*, line: int, first: int) -> str:
    return (
        f"Line {line} of .env sets what line {first} has set already: remove one of "
        "them."
    )


def in_dotenv(*, line: int) -> str:
    return f"in line {line} of .env"


def misnamed_variable(*, name: str, where: str, nearest: str) -> str:
    return f"{name} {where} is not read. Did you mean {nearest}?"


def unread_variable(*, name: str, where: str) -> str:
    return f"{name} {where} is not read: .env.example names all variables."


def disk_emptied(*, host: str, path: object, remedy: str) -> str:
    return (
        f"{host} empties this disk at each restart, and with it {path}: all threads, "
        f"settings and budgets are lost then. {remedy}"
    )


HEROKU_REMEDY = (
    "Heroku has no disk that lasts: run Threadkeep elsewhere, as docs/deploy.md says."
)
DISK_REMEDY = "Add a disk and put THREADKEEP_DB on it; docs/deploy.md says how."
VOLUME_REMEDY = "Add a volume and put THREADKEEP_DB on it; docs/deploy.md says how."


def file_unreadable(*, file: str, reason: object) -> str:
    return f"{file} cannot be read: {reason}."


def file_not_utf8(*, file: str) -> str:
    return f"{file} is not UTF-8 text: save it as UTF-8."


def misplaced_credential(*, variable: str) -> str:
    return (
        f"{variable} holds what looks like a token or key, which is not shown here: "
        "remove it; .env.example says where it belongs."
    )


def entry(*, number: int, variable: str, problem: str) -> str:
    return f"Entry {number} of {variable} {problem}"


def variable_problem(*, variable: str, problem: str) -> str:
    return f"{variable}: {problem}"


def unused_value(*, variable: str, why: str) -> str:
    return f"{variable}: {why} Remove it, or choose another model."


def not_an_admin(*, written: str) -> str:
    return (
        "THREADKEEP_ADMINS must name people by platform and id, such as "
        f"slack:U0123ABC, not {written}."
    )


def not_a_number(*, variable: str, least: int, most: int, written: str) -> str:
    return f"{variable} must be a number from {least:,} to {most:,}, not {written}."


def not_a_choice(*, variable: str, choices: str, written: str) -> str:
    return f"{variable} must be one of {choices}, not {written}."


def not_a_url(*, variable: str, schemes: str, written: str) -> str:
    return f"{variable} must be a URL that begins with {schemes}, not {written}."


def not_a_start(*, written: str) -> str:
    return (
        "--since must be a day such as 2026-11-01, today, yesterday, a weekday, or an "
        f"age such as 7d or 12h, not {written}."
    )


# Tokens of the platforms.
SLACK_BOT_TOKEN_PLACE = (
    "your app's page on api.slack.com/apps, under OAuth & Permissions, after "
    "installing the app to the workspace"
)
SLACK_APP_TOKEN_PLACE = (
    "your app's page on api.slack.com/apps, under Basic Information, App-Level Tokens, "
    "with the scope connections:write"
)
SLACK_SIGNING_SECRET_PLACE = (
    "your app's page on api.slack.com/apps, under Basic Information, App Credentials"
)
SLACK_HTTP_ALONE = (
    "THREADKEEP_SLACK_HTTP is set without SLACK_SIGNING_SECRET or SLACK_CLIENT_ID: set "
    "one of them to receive events or installations over HTTP, or none."
)
SLACK_TOKEN_AND_OAUTH = (
    "SLACK_BOT_TOKEN and SLACK_CLIENT_ID are both set. If workspaces install the app "
    "by a click, remove SLACK_BOT_TOKEN, since each gets a token of its own; otherwise "
    "remove SLACK_CLIENT_ID and SLACK_CLIENT_SECRET."
)
SLACK_OAUTH_HALF = (
    "SLACK_CLIENT_ID and SLACK_CLIENT_SECRET belong together: set both to let "
    "workspaces install the app by a click, or neither."
)
SLACK_REDIRECT_ALONE = (
    "SLACK_REDIRECT_URL is set without SLACK_CLIENT_ID: set that and "
    "SLACK_CLIENT_SECRET, too, or remove it."
)
NO_KEYS = (
    "THREADKEEP_KEYS is not set, but is needed to encrypt the tokens of workspaces: "
    "`threadkeep keys new` prints a key."
)
NO_CRYPTOGRAPHY = (
    "SLACK_CLIENT_ID needs the package cryptography: install threadkeep[oauth]."
)
NOT_KEYS = (
    "THREADKEEP_KEYS must be keys that `threadkeep keys new` prints, the newest first, "
    "separated by commas."
)
DISCORD_TOKEN_PLACE = (
    "your app's page on discord.com/developers/applications, under Bot"
)


def token_missing(*, variable: str, where: str) -> str:
    return f"{variable} is not set: find it on {where}."


def token_prefix(*, variable: str, prefix: str, where: str) -> str:
    return f"{variable} must begin with {prefix}: find it on {where}."


def token_character(*, variable: str, where: str) -> str:
    return f"{variable} has a character that no token has: copy it from {where}."


def not_a_client_id(*, where: str) -> str:
    return (
        f"SLACK_CLIENT_ID must be two numbers with a dot between: copy it from {where}."
    )


def not_a_client_secret(*, where: str) -> str:
    return f"SLACK_CLIENT_SECRET is not a client secret: copy it from {where}."


def not_a_bot_token(*, variable: str, where: str) -> str:
    return f"{variable} is not a bot token: find it on {where}."


# Signing in.
SLACK_APP_TOKEN_REFUSED = (
    "SLACK_APP_TOKEN is not accepted: create an app-level token with the scope "
    "connections:write under Basic Information on the app's page."
)
DISCORD_NEW_TOKEN = (
    "Reset the token on your app's page on discord.com/developers/applications, under "
    "Bot, and set DISCORD_TOKEN to the new one."
)
DISCORD_TOKEN_REVOKED = "Discord no longer accepts DISCORD_TOKEN: set a new one."
DISCORD_SHARDS = (
    "Discord requires more connections for so many servers: set DISCORD_SHARDS higher, "
    "or remove it."
)


def not_shards(*, written: str) -> str:
    return (
        "DISCORD_SHARDS must be a number of shards, such as 2, or a range of them, "
        f"such as 0-3/16, not {written}."
    )


def shard_count_out_of_range(*, most: int, written: str) -> str:
    return (
        "DISCORD_SHARDS must be a number of shards from 1 to "
        f"{most}, or a range of them, such as 0-3/16, not {written}."
    )


def shards_backwards(*, first: int, last: int) -> str:
    return (
        f"DISCORD_SHARDS names shards from {first} to {last}: write the lower number "
        "first."
    )


def no_such_shard(*, shard: int, count: int, last: int) -> str:
    return (
        f"DISCORD_SHARDS names shard {shard}, but {count} shards have the numbers 0 to "
        f"{last}."
    )


def shards_cross(*, ours: object, theirs: object) -> str:
    return (
        f"The Discord shards {ours} overlap {theirs}, which another process has: start "
        "each process with shards of its own (--shards or DISCORD_SHARDS)."
    )


def token_refused(*, variable: str, error: object) -> str:
    return f"{variable} is not accepted. {error}"


def slack_token_revoked(*, error: str) -> str:
    return (
        f"Slack no longer accepts the token ({error}): reinstall the app to the "
        "workspace and set the new token."
    )


def slack_unreachable(*, error: object) -> str:
    return (
        f"Slack cannot be reached ({error}): check the network, the proxy settings and "
        "SLACK_API_URL."
    )


def no_socket(*, error: object) -> str:
    return (
        f"Slack does not open a Socket Mode connection ({error}): switch on Socket "
        "Mode on the app's page, and check the network."
    )


def discord_unreachable(*, error: object) -> str:
    return (
        f"Discord cannot be reached ({error}): check the network and DISCORD_API_URL."
    )


def discord_closed(*, code: int) -> str:
    return f"Discord closed the connection for good (code {code})."


def not_an_address(*, written: str) -> str:
    return (
        "THREADKEEP_WEB must be an address and a port, such as 127.0.0.1:8080, or off, "
        f"not {written}."
    )


def not_a_slack_http_address(*, written: str) -> str:
    return (
        "THREADKEEP_SLACK_HTTP must be an address and a port, such as 127.0.0.1:3000, "
        f"not {written}."
    )


def slack_http_unusable(*, address: str) -> str:
    return (
        f"Slack's events cannot be received at {address}: stop the program that uses "
        "it, or set THREADKEEP_SLACK_HTTP to another address of this machine."
    )


def not_a_signing_secret(*, where: str) -> str:
    return f"SLACK_SIGNING_SECRET is not a signing secret: copy it from {where}."


def not_a_host_name(*, written: str) -> str:
    return (
        "THREADKEEP_WEB_TRUSTED_PROXY must be names of hosts, such as "
        f"threadkeep.example.org, not {written}."
    )


def not_a_channel(*, written: str) -> str:
    return (
        "THREADKEEP_PROBE names channels by platform and id, such as slack:C0123ABC, "
        f"not {written}"
    )


TRACING_NOT_INSTALLED = (
    "OTEL_EXPORTER_OTLP_ENDPOINT is set, and OpenTelemetry is not installed: pip "
    "install 'threadkeep[otel]', or empty the variable."
)

NO_KEY_HERE = (
    "this process has no key of Claude's; set ANTHROPIC_API_KEY for gateways, too, if "
    "commands that ask Claude are used"
)
