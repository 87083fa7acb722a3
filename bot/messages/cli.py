"""Messages of the command line: results, mistakes, and help for options."""

from bot.messages import plurals

ABORTED = "Aborted!"


def not_a_place(*, written: str) -> str:
    return f"--in must be a place, such as slack:T1:C5, not “{written}”."


def internal_error(*, where: str) -> str:
    return f"stopped by an internal error at {where}; please report this line."


def not_written(*, reason: object) -> str:
    return f"the output could not be written completely: {reason}."


def bytes_written(*, size: int, file: str) -> str:
    return f"{plurals.BYTES(size)} written to {file}."


NO_PERSON = (
    "Name the person by platform, workspace and id, such as slack:T0123ABC:U0123ABC or "
    "discord:123456789012345678:234567890123456789."
)


def forgotten(*, count: int) -> str:
    return f"{plurals.MESSAGES(count)} deleted. Backups still contain them."


# One question and its answer.
ANSWER_TOO_LONG = (
    "The answer reached its length limit. Set THREADKEEP_MAX_TOKENS higher, or ask for "
    "less."
)
WINDOW_FULL = "The input and the answer together fill all that the model can read."
CLAUDE_DENIES = (
    "Claude does not accept this key, account or model: threadkeep check says why."
)
INPUT_NOT_TEXT = "Standard input is not text."
NOTHING_TO_SERVE = (
    "No platform is set up: set SLACK_BOT_TOKEN and SLACK_APP_TOKEN, DISCORD_TOKEN, or "
    "THREADKEEP_WEB; `threadkeep check` says what is missing."
)
NOTHING_TO_ANSWER = (
    "There is nothing to answer. Give a question or a document, as in "
    '`threadkeep ask "what is wrong here?" < error.log`.'
)


def input_too_large(*, most: int) -> str:
    return f"Standard input is too large: at most {most} MB are read."


def question_too_large(*, model: str, tokens: int) -> str:
    return f"This is too large for {model}, which reads {tokens:,} tokens at most."


def encoding_guessed(*, encoding: str, words: str) -> str:
    return f"the encoding is a guess: {encoding} (it reads {words or 'as text'})."


def warning(*, text: str) -> str:
    return f"Warning: {text}"


def asking(*, model: str) -> str:
    return f"Asking {model} …"


def answering(*, model: str, count: int) -> str:
    return f"{model} is answering: {count:,} characters"


# Help for options.
SHARDS_HELP = (
    "The Discord shards of this process, such as 0-3/16, in place of DISCORD_SHARDS."
)
LINES_HELP = "Take each line of standard input as a question of its own."
QUEUES_HELP = "Answer only in threads of these of the queues 0-15, such as 0-7."
MODEL_HELP = "The model to ask, such as opus."
SYSTEM_HELP = "Instructions, in place of the prompt that is set."
OFFLINE_HELP = "Make no network calls."
SINCE_HELP = "Start: a day (2026-11-01, monday, today; UTC) or an age (7d, 12h)."
BY_HELP = "Show this grouping only; several make one, such as person and model."
WITHIN_HELP = "Only this place, such as slack:T1:C5."
MOST_HELP = "The most entries to list."
REFUSED_HELP = "List refusals instead."
IDS_HELP = "Show ids instead of names."
TEXTS_HELP = "Include questions and answers."
JSON_HELP = "Print JSON."
WITH_TEXT_HELP = "Include the question and the answer."
FORCE_HELP = "Replace an existing file."
DRY_RUN_HELP = "Show what would change; change nothing."
REMOVE_HELP = "Delete what FILE does not name, in the workspaces that it names."
RUNNING_HELP = "Change existing threads, too."


# Reports.
def nothing_asked(*, since: str) -> str:
    return f"Nothing was asked since {since}."


def nobody_refused(*, since: str) -> str:
    return f"Nobody was refused anything since {since}."


def nothing_changed(*, since: str) -> str:
    return f"Nothing was changed since {since}."


def no_feedback(*, since: str) -> str:
    return f"Nobody gave feedback since {since}."


TEXTS_NEED_FORMAT = "--texts needs --format csv or json."

TOTAL = "Total"
WHEN, WHERE, WHO, WHAT = "When (UTC)", "Where", "Who", "What"
LAST_REFUSED, TIMES = "Last refused (UTC)", "Times"
ANSWERS, INPUT, OUTPUT, SEARCHES = "Answers", "Input", "Output", "Searches"
CACHE_WRITE, CACHE_READ, SAVED = "Cache write", "Cache read", "Saved"
MODEL, PROMPT, USD = "Model", "Prompt", "USD"
GOOD, BAD = "good", "bad"
OTHERS = "(others)"
NOT_LISTED = "more than can be listed"
UNKNOWN = "unknown"


def prompt_number(*, number: int) -> str:
    return f"no. {number}"


def and_unknown(*, cost: str, count: int) -> str:
    return f"{cost} + {count:,} unknown"


def all_workspaces(*, period: str, used: str, reserved: str) -> str:
    return f"All workspaces, {period}: {used}{reserved}"


def audit_entry(*, action: str, name: str, before: str, after: str) -> str:
    return f"{action} {name}: {before} → {after}"


# Settings in files.
NOTHING_TO_CHANGE = "Nothing to change."
DRY_RUN = "Nothing was changed: this was a dry run."


def file_exists(*, file: str) -> str:
    return f"{file} exists already; --force replaces it."


def file_unwritable(*, file: str, reason: object) -> str:
    return f"{file} cannot be written: {reason}."


def settings_written(*, count: int, file: str) -> str:
    return f"{plurals.SETTINGS(count)} written to {file}."


def settings_changed(*, count: int) -> str:
    return f"{plurals.SETTINGS(count)} changed."


NO_REMOTE_PLATFORM = (
    "Neither Slack nor Discord is set up; run `threadkeep setup slack` or "
    "`threadkeep setup discord`."
)


def needs_postgresql(*, command: str) -> str:
    return (
        f"`threadkeep {command}` shares its database with other processes; set "
        "THREADKEEP_DB to a PostgreSQL address, or run `threadkeep serve`."
    )


def no_queues(*, text: str, last: int) -> str:
    return f"{text} names no queues; give a range of 0-{last}, such as 0-7."
