"""Messages about triage of files: `threadkeep triage`, its progress and its results."""

from bot.messages import plurals

# Help for options.
COLUMN_HELP = "The column with the ticket."
ID_HELP = "The column that names a row."
AT_ONCE_HELP = "The most concurrent calls."
BUDGET_HELP = "The most to spend, in USD."
AGAIN_HELP = "Ask again about marked rows."
OUTPUT_HELP = "The output file; - is the terminal."
OUTPUT_CSV_HELP = "The output file (CSV); - is the terminal."
FORMAT_HELP = "The output format; by default by the name of the file."
DB_HELP = "Write a table into this SQLite file as well."
SCHEME_HELP = "The scheme to sort by (YAML)."
PRINT_SCHEME_HELP = "Print the scheme and exit."
BATCH_HELP = "Half the price, within a day."
ESTIMATE_HELP = "Estimate the cost and exit."
SCHEMES_HELP = "A scheme; any number of them."
MODELS_HELP = "A model; any number of them."
BY_HELP = "Also report accuracy by the values of this column."
JSON_HELP = "Write everything as JSON; - prints it."
PLOT_HELP = "Draw confusion matrices into this picture."

# The reasons why a ticket has no values, as stored in its row; details may follow.
EMPTY = "empty: there is nothing to sort"
TOO_LONG = "too long"
UNREADABLE = "unreadable"
REFUSED = "refused: Claude would not answer this one"
CUT = "cut: the answer did not end"
INVALID = "invalid: the answer does not fit the scheme"
REJECTED = "rejected: Claude's API does not take this one"
EXPIRED = "expired: its batch ended before this one was read"
CANCELLED = "canceled: its batch was cancelled before this one was read"
FAILED = "failed: Claude's side failed on this one"
LEFT_FOR_BUDGET = "left: the budget leaves no room for it"
NOT_ASKED = "not asked about yet"


def too_long(*, reason: str, length: int, most: int) -> str:
    return f"{reason}: {length:,} characters, and at most {most:,} are sent"


# Runs.
NOTHING_SORTED = "Nothing was sorted yet."
NO_CORRECTIONS = "Nobody has corrected anything there yet."
NEEDS_MATPLOTLIB = "--plot needs matplotlib: pip install matplotlib."
NEEDS_KEY = (
    "Triage asks Claude, and ANTHROPIC_API_KEY is not set: put a key into .env, or "
    "into the environment."
)
STOPPED = "Stopped."
STOPPING = "Stopping after the answers in progress; once more stops at once."
NO_ROOM = (
    "What is left of the budget may not cover the next ticket. All answers are kept; "
    "continue with a higher --budget."
)
DEFAULT_SCHEME = "default scheme"
THE_SCHEME = "the scheme"
NO_DISAGREEMENTS = "No disagreements."


def no_such_run(*, run: str) -> str:
    return f"There is no run {run}: see `threadkeep triage list`."


def run_is_done(*, run: str) -> str:
    return (
        f"Run {run} is done and written. The same command as before writes it again, "
        "at no cost."
    )


def being_cancelled(*, batches: str, run: str) -> str:
    return (
        f"Batches being cancelled: {batches}. `threadkeep triage resume {run}` "
        "collects their answers."
    )


def corrections_written(*, count: int) -> str:
    return f"{plurals.CORRECTED_MESSAGES(count)}."


def same_ids(*, ids: str) -> str:
    return f"More than one row has the {ids}; each row is sorted by itself."


def and_others(*, ids: str) -> str:
    return f"{ids} and others"


def collected_by(*, run: str) -> str:
    return f"Run {run}: `threadkeep triage resume {run}` collects it."


def budget_no_room(*, budget: str) -> str:
    return f"What is left of the budget of {budget} may not cover the next ticket."


def how_to_resume(*, sorted: int, rows: int, run: str) -> str:
    return (
        f"{sorted:,} of {rows:,} rows are kept. `threadkeep triage resume {run}` "
        "continues, and nothing is paid for twice."
    )


def batch_cancelled(*, batch: str, run: str) -> str:
    return (
        f"Batch {batch} was cancelled. Its answers are kept; `threadkeep triage resume "
        f"{run}` asks about the rest."
    )


def results_gone(*, batch: str, run: str) -> str:
    return (
        f"The results of batch {batch} are gone: Claude keeps them for 29 days, or "
        f"until it is deleted. `threadkeep triage resume {run}` asks about its tickets "
        "again."
    )


def price_unknown(*, model: str) -> str:
    return (
        f"The price of {model} is not known, so a budget cannot be kept: leave out "
        "--budget, or choose another model."
    )


def bad_budget(*, budget: object) -> str:
    return f"A budget must be an amount in USD above 0, not {budget}."


# Progress and summary.
SORTED, NOT_SORTED, LEFT = "Sorted", "Not sorted", "Left"
TOKENS, COST, TIME, WRITTEN = "Tokens", "Cost", "Time", "Written"
IN_BATCHES, IN_CALLS = "in batches", "in single calls"
# Column headings.
NOW, PROMPT = "now", "prompt"
A_TICKET, AN_ANSWER, IN_TOKENS = "a ticket", "an answer", "tokens"
TICKETS = "tickets"
RUN, BEGUN, FILE, ROWS = "run", "begun (UTC)", "file", "rows"
STATE, MODEL, BATCHES = "state", "model", "batches"

RUN_DONE = "done"
SAMPLED = "Answers as long as the scheme's examples; a model that thinks costs more."
BATCH_COST = (
    "What a batch costs depends on how many of its requests find the prompt in the "
    "cache: 98 % at best, 30 % at worst."
)
NOT_CACHED = "* too short to be cached by this model."


def waiting(*, why: str) -> str:
    return f"Waiting, since {why}. Ctrl-C stops; nothing is lost."


def different_of(*, total: int, rows: int) -> str:
    return f"{plurals.DIFFERENT_TICKETS(total)} in {plurals.ROWS(rows)}"


def tickets_done(*, done: int, of: str) -> str:
    return f"{done:,} of {of}"


def per_second(*, rate: float) -> str:
    return f"{rate:,.1f} a second"


def of_about(*, amount: str) -> str:
    return f" of about {amount}"


def time_left(*, time: str) -> str:
    return f"{time} left"


def tickets_marked(*, count: int) -> str:
    return f"{count:,} not sorted"


def rows_sorted(*, sorted: int, rows: int) -> str:
    return f"{sorted:,} of {plurals.ROWS(rows)}"


def tokens_used(*, read: int, cached: int, written: int) -> str:
    return f"{read:,} in, of which {cached:,} read from the cache; {written:,} out"


def rows_alike(*, count: int) -> str:
    return f"; {count:,} of the rows read like another"


def paid_before(*, cost: str, before: str) -> str:
    return f"{cost} now, {before} before,"


def run_cost(*, cost: str, model: str, how: str, alike: str) -> str:
    return f"{cost} with {model}, {how}{alike}"


def different_tickets(*, count: int) -> str:
    tickets = plurals.DIFFERENT_TICKETS(count)
    return f"{tickets}; tokens as Claude's API counts a sample."


def rows_left(*, count: int) -> str:
    return f"{count:,} left"


def batches_waiting(*, state: str, count: int) -> str:
    return f"{state}, {count:,} in progress"


def more_rows(*, rows: int) -> str:
    return f"… and more: -o FILE writes all {rows:,} rows."


def minutes(*, count: int) -> str:
    return f"{count} min"


def seconds(*, count: int) -> str:
    return f"{count} s"


def hours(*, count: int, minutes: int) -> str:
    return f"{count} h {minutes} min"


# Output files.
def output_is_input(*, file: str) -> str:
    return f"{file} is the input: write to another file."


def output_of_another_format(*, file: str, suffix: str) -> str:
    return (
        f"{file} would hold CSV, not {suffix}: name a file ending in .csv, .jsonl or "
        ".txt, choose one with --format, or use --db for SQLite."
    )


def output_unwritable(*, file: str) -> str:
    return f"{file} cannot be written: choose another place."


def too_wide_for_sqlite(*, file: object, columns: int, most: int) -> str:
    return (
        f"{file} cannot hold {columns:,} columns, and at most {most:,}: leave out "
        "--db, or columns of the file."
    )


def output_failed(*, file: object, reason: object) -> str:
    return (
        f"{file} could not be written: {reason}. All answers are kept: make room or "
        "choose another file, and run the same command again, at no cost."
    )


# Evaluation.
SCHEME, LABELLED, PRECISION, RECALL = "scheme", "labelled", "precision", "recall"
ROW, FIELD, SORTED_AS, TICKET = "row", "field", "sorted", "ticket"
LABELLED_SORTED = "labelled ↓, sorted →"
USD_PER_1000, TIME_PER_1000 = "USD per 1,000", "time per 1,000"
KNOWN_BEFORE = "known before"
UNSORTED = "(not sorted)"
COST_UNKNOWN = "unknown"


def not_sorted_of(*, count: int, rows: int) -> str:
    return f"{count:,} of {rows:,}"


def no_column(*, file: str, column: str) -> str:
    return f"{file} has no column `{column}`."


def no_labels(*, columns: str) -> str:
    return f"No column has labels: one must be called {columns}."


def no_such_label(*, row: str, field: str, label: str, values: str) -> str:
    return f"Row {row}: the scheme has no {field} {label}; it has {values}."


def not_drawn(*, file: object, reason: object) -> str:
    return f"{file} could not be drawn: {reason}."


def more_disagreements(*, count: int) -> str:
    return f"… and {count:,} more: --json FILE lists all."
