"""Messages of the operator's reports, on the command line and in the console."""

from bot.messages import plurals

PRIVATE_THREAD = (
    "Only some people of its workspace may read this thread. Its text is shown to "
    "readers that THREADKEEP_PRIVATE_READERS names, and by the command line with "
    "--private."
)
NO_THREAD = "Nothing is stored of this thread."
THREAD_DELETED = "All that was stored of this thread is deleted."
NO_THREADS = "There are no such threads."
NO_BUDGETS = "No budget is set."
NOT_RUNNING = "Threadkeep is not running with this database."
NOT_HERE = (
    "With a database on a server, each process reports its own state at /readyz and "
    "/metrics of the address in its THREADKEEP_WEB."
)
NOT_AWAKE = (
    "This process is not connected to the job queue of the database; it tries again by "
    "itself."
)
NOT_A_THREAD = (
    "Name the thread by platform, workspace, channel and thread, such as "
    "slack:T0123ABC:C0123ABC:1795400060.000000."
)


def no_answers(*, since: str) -> str:
    return f"No answer has ended since {since}."


PRIVATE_HELP = "Show what people wrote, also in private channels."
NOTHING_SET = "Nothing is set in the chat."


def setting(*, where: str, name: str, value: str) -> str:
    return f"{where or EVERYWHERE} · {name}: {value}"


def change(*, when: str, where: str, who: str, what: str) -> str:
    return f"{when} · {where or EVERYWHERE} · {who}: {what}"


def exported(*, count: int, file: str) -> str:
    return f"{plurals.MESSAGES(count)} written to {file}."


def running(*, version: str, pid: int, since: str, lag: int) -> str:
    return (
        f"Threadkeep {version} runs since {since}; process {pid}, "
        f"event loop {lag} ms late."
    )


def within(*, share: str) -> str:
    return f"{share} of answers: first words / end"


# Names of columns and groups.
PLATFORM, CONNECTED, HEARD = "Platform", "Connected since", "Last event"
LOCAL = "this process"
RECONNECTS, TURNS, COUNT, OLDEST = "Reconnects", "Turns", "Count", "Oldest (UTC)"
WRITES, SCOPE, LEFT, WAITING = "Writes", "Scope", "Left", "Waiting"
ROLE, PROCESS, STARTED, SEEN = "Role", "Process", "Started", "Last seen"
ANSWERING = "Answering"
ERROR, LEVEL, THIS_HOUR = "Event", "Level", "Last hour"
PERIOD, SPENT, BUDGET, BY_THE_END = "Period", "Spent", "Budget", "By the end"
DAY, MONTH, EVERYWHERE, NO, BOT = "day", "month", "everywhere", "no", "Bot"
TURN, SECONDS, REASON, THREAD = "Turn", "Seconds", "Reason", "Thread"
RATED = "good / bad"
SLOWEST, UNFINISHED = "Slowest", "Refused, interrupted or failed"
DISLIKED = "Rated as bad"


# Why the process is not ready.
def database_unwritable(*, reason: str) -> str:
    return f"The database cannot be written to: {reason}"


def database_slow(*, seconds: int) -> str:
    return f"The database took no write within {seconds} seconds."


def shut_down(*, platform: str, reason: str) -> str:
    return f"{platform} was shut down: {reason}"


def not_connected(*, platform: str) -> str:
    return f"{platform} is not connected."


def not_heard(*, platform: str, minutes: int) -> str:
    return f"Nothing has arrived from {platform} for {plurals.MINUTES(minutes)}."
