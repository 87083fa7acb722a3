"""Findings of `threadkeep check`: subjects, and clauses that say what to do."""

# Subjects.
CLAUDE = "Claude"
CLAUDE_KEY = "Claude key"
CLAUDE_MODEL = "Claude model"
CLAUDE_MODELS = "Claude models"
CONFIGURATION = "Configuration"
DATABASE = "Database"
SECRETS = "Secrets"
FILES = "Files"
FOLDER = "Folder"
TOTAL_BUDGET = "Total budget"
SLACK = "Slack"
SLACK_BOT_TOKEN = "Slack bot token"
SLACK_APP_TOKEN = "Slack app token"
SLACK_HTTP = "Slack over HTTP"
SLACK_WORKSPACE = "Slack workspace"
SLACK_SCOPES = "Slack scopes"
WEB = "Web"
MCP_SERVER = "MCP server"
DISCORD = "Discord"
DISCORD_TOKEN = "Discord token"
DISCORD_APPLICATION = "Discord application"
DISCORD_COMMANDS = "Discord commands"
DISCORD_INTENTS = "Discord intents"
DISCORD_INVITE = "Discord invite"
DISCORD_PUBLIC = "Discord public"
DISCORD_SERVERS = "Discord servers"

# Grades.
OK, NOT_SET, NOTE, WRONG = "ok", "not set", "note", "wrong"

# Claude.
NO_KEY = (
    "set ANTHROPIC_API_KEY (from console.anthropic.com, API keys); until then the "
    "offline model answers, and says that it is not Claude"
)
KEY_SET = "is set (not tried)"
ACCEPTED = "accepted"


def model_not_listed(*, model: str) -> str:
    return f"{model} is not in our list, so its cost is unknown"


def listed_model_retired(*, model: str) -> str:
    return f"{model} was retired"


def listed_model_unavailable(*, model: str) -> str:
    return f"{model} is not available to this key"


def model_retires_unlisted(*, model: str, day: object) -> str:
    return f"{model} retires on {day}, which our list does not say"


def model_unknown(*, model: str) -> str:
    return (
        f"{model} is not in our list: it can be set in the environment only, and its "
        "cost is unknown"
    )


def of_variable(*, problem: str, variable: str) -> str:
    return f"{problem} ({variable})"


def model_exists(*, model: str) -> str:
    return f"{model} exists; no last day is announced"


def model_retired(*, model: str, day: object) -> str:
    return f"{model} was retired on {day}: set THREADKEEP_MODEL to another"


def model_retires(*, model: str, day: object) -> str:
    return f"{model} exists and retires on {day}"


def model_retires_soon(*, model: str, day: object) -> str:
    return f"{model} exists and retires on {day}: choose another soon"


# Files and budgets.
NO_TOTAL_BUDGET = (
    "there is no limit on the total cost of all workspaces: set "
    "THREADKEEP_BUDGET_TOTAL_DAY or THREADKEEP_BUDGET_TOTAL_MONTH"
)
WHAT_PEOPLE_SAID = "what people said"


def database_in_use(*, path: object) -> str:
    return f"{path} is in use by a running threadkeep"


def database_writable(*, path: object) -> str:
    return f"{path} can be written"


def database_created(*, path: object) -> str:
    return f"{path} does not exist yet; it is created at the first start"


def tables_created(*, path: object) -> str:
    return f"{path} has no tables yet; they are created at the first start"


def tokens_file(*, path: object) -> str:
    return f"{path}, with the tokens,"


def database_folder(*, path: object) -> str:
    return f"the folder of the database, {path},"


def readable_by_others(*, what: str, command: str) -> str:
    return f"{what} can be read by others on this machine: run `{command}`"


# Slack.
SLACK_NOT_SET = (
    "set SLACK_BOT_TOKEN and SLACK_APP_TOKEN to answer in Slack; the README says where "
    "to get them"
)
SLACK_SET = "the tokens are set (not tried)"
SLACK_INSTALLATION = "Slack installation"
INSTALLABLE = (
    "Slack accepts the app's id and secret; people install it at /slack/install, and "
    "`threadkeep workspaces list` shows who has"
)
NOT_TRIED_IN_MANY = (
    "events are not tried where workspaces install the app: mention the bot in one "
    "of them"
)
SOCKET_MODE_ON = "accepted; Socket Mode is on"
NO_SCOPE_COMMANDS = (
    "`/claude`, “Thread settings”, “Receipt” and “Triage this” do not work"
)
NO_SCOPE_DIRECT = "admins are not notified how much of a budget is used"
NO_SCOPE_GROUPS = "user groups cannot be named in `who`"
NO_SCOPE_FILES_READ = (
    "files of messages are named to Claude and not read, and a prompt cannot be given "
    "as a file"
)
NO_SCOPE_FILES_WRITE = "no code or table is attached as a file"
NO_SCOPE_REACTIONS = (
    "messages cannot be marked as waiting, nor their priority shown as a reaction"
)


def slack_http(*, address: object) -> str:
    return (
        f"requests of Slack's are received at {address}; the request URL is the "
        "proxy's, with /slack/events at its end"
    )


def signed_in(*, name: str, workspace: str) -> str:
    return f"accepted; @{name} in {workspace}"


def workspace_not_served(*, workspace: str) -> str:
    return (
        f"THREADKEEP_WORKSPACES does not name {workspace}, so nobody there is "
        "answered: add it, or remove the Slack tokens"
    )


def scopes_missing(*, scopes: str) -> str:
    return f"missing {scopes}: add them under OAuth & Permissions and reinstall the app"


def scope_missing(*, scope: str, loss: str) -> str:
    return f"without {scope}, {loss}; add it and reinstall the app"


# The web and Discord.
WEB_NOT_SET = (
    "off where Slack or Discord is set up, else on 127.0.0.1:8080; THREADKEEP_WEB sets "
    "the address"
)
WEB_SET = "an address is set (not tried)"
DISCORD_NOT_SET = (
    "set DISCORD_TOKEN to answer in Discord; the README says where to get it"
)
DISCORD_SET = "a token is set (not tried)"
INTERACTIONS_ENDPOINT = (
    "an Interactions Endpoint URL is set on the app's page, so no command reaches the "
    "bot: remove it under General Information"
)
IN_NO_SERVER = "in none yet"
CONTENT_GRANTED = "Message Content is granted: people go on without a mention"
CONTENT_OFF = (
    "Message Content is off (DISCORD_MESSAGE_CONTENT): people mention the bot or reply "
    "to it"
)
CONTENT_MISSING = (
    "Message Content is not granted, so people must mention the bot or reply to it: "
    "switch it on under Bot on the app's page, or set DISCORD_MESSAGE_CONTENT=off"
)
PUBLIC_BOT = (
    "Anybody can add this bot to a server of theirs, and THREADKEEP_WORKSPACES does "
    "not limit which servers are served. Switch Public Bot off on the app's page, or "
    "set THREADKEEP_WORKSPACES."
)


def in_servers(*, count: int, servers: str) -> str:
    return f"in {count}: {servers}"


def in_other_servers(*, count: int, servers: str) -> str:
    return (
        f"in {count} that THREADKEEP_WORKSPACES does not name, where nobody is "
        f"answered: {servers}"
    )


def and_more(*, count: int) -> str:
    return f" and {count:,} more"


def servers_unlisted(*, error: object) -> str:
    return f"cannot be listed ({error})"


# The web server.
def web_free(*, address: str) -> str:
    return f"{address} is free"


def web_in_use(*, address: str) -> str:
    return f"{address} is in use: by Threadkeep itself, if it runs"


def web_unusable(*, address: str) -> str:
    return (
        f"this machine has no address {address}: set THREADKEEP_WEB to one of its own"
    )


# Findings of `--live`.
PROBE = (
    "Threadkeep tests whether it receives events. This message disappears by itself."
)
LIVE_HELP = "Post a test message on each platform, and wait until it comes back."
IN_HELP = "Where to post it, such as slack:C0123ABC; instead of THREADKEEP_PROBE."
LIVE_NEEDS_NETWORK = "--live and --offline exclude each other."
INTENT_MISSING = "switch the Message Content intent on, on the app's page under Bot"
SLACK_EVENTS, DISCORD_EVENTS = "Slack events", "Discord events"


def no_probe_place(*, platform: str) -> str:
    return f"name a channel for the test: --in {platform}:CHANNEL or THREADKEEP_PROBE"


def came_back(*, seconds: str, channel: str) -> str:
    return f"a test message in {channel} came back after {seconds} s"


def came_back_to_bot(*, seconds: str, channel: str) -> str:
    return f"a test message in {channel} came back to the running bot after {seconds} s"


def not_subscribed(*, event: str) -> str:
    return (
        f"nothing came back: subscribe to {event} on the app's page, under Event "
        "Subscriptions, and switch events on there"
    )


def not_reached(*, address: object, event: str) -> str:
    return (
        f"Slack sent nothing to {address}: enter the request URL on the app's page, "
        f"under Event Subscriptions, subscribe to {event} there, and look whether the "
        "proxy passes requests on"
    )


def lacks_history(*, scope: str) -> str:
    return f"the app needs the scope {scope} to receive what is said there"


def lacks_scope(*, scopes: str) -> str:
    return f"the app needs the scope {scopes}"


def not_a_member(*, channel: str, name: str) -> str:
    return f"the bot is not in {channel}: /invite @{name} there"


def channel_unknown(*, channel: str) -> str:
    return (
        f"{channel} is not there, or it is private and the bot is not in it: check the "
        "id, and invite the bot"
    )


def others_connected(*, count: int) -> str:
    return (
        f"nothing came back here, and {count} connections of this app are open: Slack "
        "sent the event to another one. Stop the other process, or run the check "
        "beside its database"
    )


def bot_heard_nothing(*, platform: str) -> str:
    return (
        f"nothing came back to the running bot, whose connection to {platform} may be "
        "broken: restart it, and check again"
    )


def channel_hidden(*, channel: str) -> str:
    return (
        f"the bot does not see {channel}: check the id, add the bot to the server, and "
        "give its role View Channel there"
    )


def may_not_post(*, channel: str) -> str:
    return f"the bot may not write in {channel}: give its role Send Messages there"


def no_session(*, reason: str) -> str:
    return f"no connection for events: {reason}"


def not_tested(*, reason: object) -> str:
    return f"the test message could not be posted: {reason}"


def nothing_back(*, seconds: int) -> str:
    return f"nothing came back within {seconds} seconds"
