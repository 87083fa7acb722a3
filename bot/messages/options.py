"""Names and meanings of the settings, for forms, menus and lists.

A name has at most 45 characters. A meaning is one sentence of at most 100 characters.
"""

PROMPT = "System prompt"
PROMPT_ABOUT = "The bot's instructions: who it is, and how it answers."
MODEL = "Model"
MODEL_ABOUT = "The Claude model that answers."
EFFORT = "Effort"
EFFORT_ABOUT = "How hard the model thinks, where it supports that."
MAX_TOKENS = "Answer length limit"
MAX_TOKENS_ABOUT = "The longest answer in tokens, thinking included."
STOP_SEQUENCES = "Stop sequences"
STOP_SEQUENCES_ABOUT = "An answer ends before any of these, one on each line."
TEMPERATURE = "Temperature"
TEMPERATURE_ABOUT = "How freely an older model chooses its words, from 0 to 1."
FOLLOW = "Follow-ups"
FOLLOW_ABOUT = (
    "What to answer in its own threads: what seems meant for it, all, or mentions."
)
FOLLOW_SMART = "what seems meant for the bot"
FOLLOW_ALL = "everything that people write"
FOLLOW_MENTION = "only mentions"
QUIET = "Quiet"
QUIET_ABOUT = "Answer only when mentioned, whatever else is set."
WEB_SEARCH = "Web search"
WEB_SEARCH_ABOUT = "Let Claude search the web; each search costs $0.01 besides tokens."
WEB_FETCH = "Web pages"
WEB_FETCH_ABOUT = (
    "Let Claude read the pages that people link to, which costs their tokens."
)
WEB_FETCH_DOMAINS = "Web pages: hosts"
WEB_FETCH_DOMAINS_ABOUT = (
    "The hosts whose pages Claude may read, with their subdomains; without any, all."
)
MCP = "MCP servers"
MCP_ABOUT = "The servers that Claude may ask, of those that the operator offers."
LONG_THREADS = "Long threads"
LONG_THREADS_ABOUT = "What to do once a thread has more tokens than the mark below."
LONG_THREADS_SUMMARISE = "older messages are summarised"
LONG_THREADS_COMPACT = "the API compacts them with the thread's model; costs more"
LONG_THREADS_STOP = "the bot says that the thread is too long"
SUMMARY_AT = "Long threads: mark"
SUMMARY_AT_ABOUT = "The tokens of a thread at which it is long, from 8,000 to 90,000."
BUDGET_DAY = "Daily budget"
BUDGET_DAY_ABOUT = "The most that all answers there may cost a day (UTC), in USD."
BUDGET_MONTH = "Monthly budget"
BUDGET_MONTH_ABOUT = "The most that all answers there may cost a month (UTC), in USD."
PERSON_MESSAGES = "Questions per person per hour"
PERSON_MESSAGES_ABOUT = "The most questions that one person may ask within an hour."
PERSON_USD = "Spend per person per hour"
PERSON_USD_ABOUT = (
    "The most that one person's questions may cost within an hour, in USD."
)
FILE_PRICE = "Files: ask before reading"
FILE_PRICE_ABOUT = (
    "Ask before reading a file that costs more than this, in USD; 0: always; or never."
)
ATTACH_LINES = "Files: attach long code and tables"
ATTACH_LINES_ABOUT = (
    "Attach code and tables of answers as files if they have more lines; or never."
)
WHO = "Who may ask"
WHO_ABOUT = "Who may talk to the bot: everyone, or named people, groups and roles."
ADMINS = "Channel admins"
ADMINS_ABOUT = (
    "Who may change settings here, besides the admins of the workspace or server."
)
CREATORS = "Channel creators"
CREATORS_ABOUT = "Whether the creator of a channel may change its settings."
FEEDBACK = "Feedback buttons"
FEEDBACK_ABOUT = "Show thumbs up and down under answers."
PING = "Notify when done"
PING_ABOUT = "Notify people whose answer took at least this many seconds."
TRIAGE_SCHEME = "Triage: scheme"
TRIAGE_SCHEME_ABOUT = "How messages are classified: a scheme in YAML (docs/triage.md)."
TRIAGERS = "Triage: who may triage a channel"
TRIAGERS_ABOUT = "Who may triage many messages at once, besides admins."
AUTO_TRIAGE = "Triage: every new message"
AUTO_TRIAGE_ABOUT = "Triage each new message at the top of the channel."
TRIAGE_SIGN = "Triage: how it shows"
TRIAGE_SIGN_ABOUT = "How the priority of an automatically triaged message is shown."
TRIAGE_ANNOUNCE = "Triage: alert channel"
TRIAGE_ANNOUNCE_ABOUT = (
    "The channel in which messages of the highest priority are posted."
)
TRIAGE_BUDGET = "Triage: daily budget"
TRIAGE_BUDGET_ABOUT = "The most that automatic triage may cost a day (UTC), in USD."
BOTS = "Other bots"
BOTS_ABOUT = "Answer other bots that mention it, and triage their messages."
FOOTER = "Footer"
FOOTER_ABOUT = "Show model, tokens and cost under each answer."

TOTAL_DAY = "Daily budget in total"
TOTAL_DAY_ABOUT = "The most that all workspaces together may cost a day (UTC), in USD."
TOTAL_MONTH = "Monthly budget in total"
TOTAL_MONTH_ABOUT = (
    "The most that all workspaces together may cost a month (UTC), in USD."
)

AUTO_ABOUT = "A cheap or a capable one, by a thread's first message"
DEFAULT_SCHEME = "category, priority, summary"


def prices(*, input: float | str, output: float | str) -> str:
    return f"${input} in, ${output} out per million tokens"


def prices_until(*, prices: str, day: object) -> str:
    return f"{prices}; retires {day}"
