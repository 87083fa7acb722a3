"""Messages of `threadkeep move`."""

from bot.messages import plurals

NO_EXTRA = (
    "PostgreSQL needs more packages; install them with "
    "pip install 'threadkeep[postgres]'."
)

ONE_OF_EACH = (
    "Name one SQLite file and one address that begins with postgresql://; a file is "
    "copied with threadkeep backup, a PostgreSQL database with pg_dump."
)


def running(*, name: str) -> str:
    return (
        f"A threadkeep is using {name}; stop every process that does, and move again."
    )


def not_empty(*, name: object) -> str:
    return f"{name} is not empty; name one that is."


def older(*, name: object) -> str:
    return (
        f"{name} was written by an older threadkeep; start this one on it once to "
        "bring it up to date, and move then."
    )


def newer(*, name: object, version: str) -> str:
    return (
        f"{name} was changed by a newer threadkeep ({version}), whose tables this one "
        "does not know; upgrade this one, and move then."
    )


def another(*, name: str, source: str) -> str:
    return (
        f"{name} has a part of {source}; finish that move, or name an empty one as the "
        "target."
    )


def differs(*, table: str) -> str:
    return (
        f"The rows in {table} differ from the source, which was changed during the "
        "move; nothing of the move is kept, so move again."
    )


def interrupted(*, reason: object) -> str:
    return (
        f"The move was interrupted ({reason}); run the same command again, and it goes "
        "on where it was."
    )


def table_moved(*, table: str, rows: int) -> str:
    return f"{table}: {plurals.ROWS(rows)}"


def moved(*, rows: int, seconds: int) -> str:
    # Do not name the target: the shown name of a server is not a URL that the operator
    # could set.
    taken = plurals.SECONDS(seconds)
    return (
        f"{plurals.ROWS(rows)} moved in {taken}, and verified; set THREADKEEP_DB to "
        "what you named as TO, and keep the old database until that has run."
    )
