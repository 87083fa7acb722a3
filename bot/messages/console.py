"""Texts of the console."""

from bot.messages import plurals

CONSOLE = "Console"
NOW, USAGE, QUALITY = "Now", "Usage", "Quality"
THREADS, SETTINGS, AUDIT = "Threads", "Settings", "Audit"
SECTIONS = "Sections of the console"

# Now.
ANSWERS_RUNNING, WAITING = "Answers running", "Waiting"
ERRORS_OF_HOUR, LOOP_LAG = "Errors, last hour", "Event loop lag"
RUNS_FOR = "Runs for"
CONNECTIONS = "Connections"
PLATFORM, STATE, CONNECTED = "Platform", "State", "Connected since"
LAST_EVENT, EVENTS, RECONNECTS = "Last event", "Events", "Reconnects"
IS_CONNECTED, IS_LOCAL, IS_LOST = "connected", "this process", "not connected"
IS_DOWN = "shut down"
OPEN_TURNS, COUNT, OLDEST = "Open turns", "Count", "Oldest"
NO_TURNS = "Nothing is waiting, and nothing is being answered."
WRITE_BUDGETS = "Write budgets in use"
NO_BUDGETS_IN_USE = "No platform was written to lately."
WRITES, SCOPE, LEFT = "Writes", "Scope", "Left"
LOGGED, EVENT, LEVEL, LAST = "Warnings and errors", "Event", "Level", "Last"
LAST_HOUR, SINCE_START = "Last hour", "Since the start"
NOTHING_LOGGED = "Nothing went wrong since the start."
READY, NOT_READY = "Ready", "Not ready"
UPDATES = "This page updates itself every five seconds."

# Usage.
SPENT, SAVED, ANSWERS, TOKENS = "Spent", "Saved by caching", "Answers", "Tokens"
COST_BY_DAY = "Cost by day"
BUDGETS, BUDGET, PERIOD = "Budgets", "Budget", "Period"
BY_THE_END = "At this pace"
NO_BUDGETS = "No budget is set."
BY_CHANNEL, BY_PERSON = "By channel", "By person and model"
CHANNEL, PERSON, MODEL, COST = "Channel", "Person", "Model", "Cost"
INPUT, CACHED, OUTPUT = "Input", "From cache", "Output"
DAY, MONTH, EVERYWHERE = "day", "month", "everywhere"
NOTHING_SPENT = "Nothing was asked in this time."
RANGES = "Time range"
AT_MOST = "at most"

# Quality.
FINISHED, INTERRUPTED = "Finished", "Interrupted"
REFUSED, FAILED, STOPPED = "Refused", "Failed", "Stopped"
GOOD, BAD = "Rated good", "Rated bad"
HOW_LONG = "How long answers took"
SHARE, FIRST_WORDS, TO_THE_END = "Share", "First words", "To the end"
HALF, NINE_IN_TEN, MOST_OF_ALL = "Half of all", "Nine in ten", "99 in 100"
SLOWEST, UNFINISHED = "Slowest", "Interrupted, refused, failed"
DISLIKED = "Rated bad, the newest first"
WHEN, WHERE, REASON = "When (UTC)", "Where", "Reason"
NO_ANSWERS = "No answer ended in this time."
NONE_OF_THEM = "None."

# Threads.
SEARCH, WORDS = "Search", "Words"
THREAD, TURNS, TITLE = "Thread", "Turns", "Beginning"
PRIVATE, NO_THREADS = "private", "There are no such threads."
OLDER, NEWEST = "Older", "Newest"
PRIVATE_HINT = (
    "The text of private threads is shown to the readers that "
    "THREADKEEP_PRIVATE_READERS names."
)
EXPORT, DELETE = "Export", "Delete"
DELETE_ASK = "Delete all that is stored of this thread?"
DELETE_NOTE = (
    "What was posted on the platform stays, and Claude no longer answers in this "
    "thread."
)
LOOK_NOTE = "The audit records that you read this."
BOT = "Claude"
LOST = "The server cannot be reached now. Please try again."
ANSWERS_BY_NUMBERS = "Its answers by numbers"
ENDED = "Ended"

# Settings and audit.
SETTING, VALUE, SET_BY, CHANGED = "Setting", "Value", "Set by", "Changed"
NOTHING_SET = "Nothing is set in the chat."
HISTORY = "Changes"
NOTHING_CHANGED = "Nothing was changed in this time."
ACTION, WHO = "Action", "Who"
REFUSALS, TIMES = "Refused actions", "Times"
NOBODY_REFUSED = "Nobody was refused anything in this time."
OTHERS = "(others)"
NOT_SET = "not set"
TOO_DIFFERENT = "The texts are too different to be compared line by line."
ALL_CHANGES = "Changes and looks"


def days(*, count: int) -> str:
    return plurals.DAYS(count)


def spent_on(*, day: str, usd: str, answers: int) -> str:
    return f"{day}: {usd}, {plurals.ANSWERS(answers)}"


def of_budget(*, share: str, expected: str) -> str:
    return f"{share} used, {expected} by the end at this pace"


def left_of(*, left: str, most: str) -> str:
    return f"{left} of {most} left"


def of(*, part: str, whole: str) -> str:
    return f"{part} of {whole}"


def milliseconds(*, count: int) -> str:
    return f"{count} ms"


def seconds(*, count: str) -> str:
    return f"{count} s"


def minutes(*, count: int) -> str:
    return f"{count} min"


def hours(*, count: int) -> str:
    return f"{count} h"


def worst(*, amount: str) -> str:
    return f"at most {amount} within a minute"


def oldest(*, age: str) -> str:
    return f"the oldest for {age}"
