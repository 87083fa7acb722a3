"""Texts of `threadkeep explore`."""

WITH_TEXT_HELP = "Show what people wrote, too: the database itself, read-only."
PORT_HELP = "The port on 127.0.0.1; 0 for any that is free."
NOT_INSTALLED = (
    "`threadkeep explore` needs Datasette: pip install 'threadkeep[explore]', or "
    "pip install datasette."
)
TITLE = "Threadkeep"
ABOUT = "A copy of the database without what people wrote, as it was at the start."
ABOUT_WITH_TEXT = "The database itself, read-only, with what people wrote."
DEAR_THREADS = "Costly threads"
DEAR_THREADS_ABOUT = "The threads that cost most, with their turns and tokens."
CACHE_MISSES = "Cache misses"
CACHE_MISSES_ABOUT = (
    "Answers that read nothing from the cache, less than five minutes after the one "
    "before in the same thread."
)
REFUSALS = "Refused answers"
REFUSALS_ABOUT = "Answers that ended as refused, the newest first."
SLOW_ANSWERS = "Slow answers"
SLOW_ANSWERS_ABOUT = "Answers by the seconds from their question to their end."


def serving(*, address: str) -> str:
    return f"Open {address} in a browser; Ctrl-C ends it."


def port_taken(*, port: int) -> str:
    return f"Port {port} on 127.0.0.1 is taken; choose another with --port."
