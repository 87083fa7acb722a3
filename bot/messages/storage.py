"""Messages about problems with the database file and its backup, with remedies."""

SET_ANOTHER = "set THREADKEEP_DB to another file"

# While the database is used: clauses for the log and the terminal.
REFUSED = "the database refused"
DISK_FULL = "the disk of the database is full: make room; nothing is lost"
DAMAGED = "the database is damaged: restore it from a backup"
CLOSED = "the database is closed"
SERVER_LOST = "the database server does not answer: start it, or check the network"


def failed(*, what: str, name: str, error: object) -> str:
    return f"{what} ({name}: {error})"


def crowded(*, most: int) -> str:
    return (
        f"{most:,} reads or writes wait for the database, and no more may: its disk is "
        "too slow, or another program locks the file"
    )


# While the database is opened.
def not_a_database(*, path: object) -> str:
    return f"{path} is not a database; move it away, or {SET_ANOTHER}."


def a_directory(*, path: object) -> str:
    return f"{path} is a directory; {SET_ANOTHER}."


def no_room(*, path: object) -> str:
    return f"There is no room on the disk of {path}; make some, or {SET_ANOTHER}."


def unwritable(*, path: object) -> str:
    return (
        f"{path} cannot be written; make it and its directory writable, or "
        f"{SET_ANOTHER}."
    )


def written_by_another(*, path: object) -> str:
    return f"Another program is writing to {path}; stop it first, or {SET_ANOTHER}."


def unopenable(*, path: object, name: str, error: object) -> str:
    return f"{path} cannot be opened ({name}: {error}); {SET_ANOTHER}."


def damaged(*, path: object, finding: str) -> str:
    return f"{path} is damaged ({finding}); restore it from a backup, or {SET_ANOTHER}."


def no_directory(*, path: object, reason: object) -> str:
    return (
        f"The directory {path} cannot be created ({reason}); create it, or "
        f"{SET_ANOTHER}."
    )


def missing(*, path: object) -> str:
    return f"{path} does not exist yet; nobody has talked to the bot."


def no_tables(*, path: object) -> str:
    return f"{path} has no tables yet; nobody has talked to the bot."


def outdated(*, path: object) -> str:
    return (
        f"{path} was written by an older threadkeep; start this one once to bring it "
        "up to date."
    )


def uncreatable(*, path: object, reason: object) -> str:
    return (
        f"{path} cannot be created ({reason}); make its directory writable, or "
        f"{SET_ANOTHER}."
    )


def foreign(*, path: object) -> str:
    return f"{path} is the database of another program; {SET_ANOTHER}."


def newer(*, path: object, version: str) -> str:
    return (
        f"{path} was changed by a newer threadkeep ({version}); upgrade this one, or "
        f"{SET_ANOTHER}."
    )


def no_shared_memory(*, path: object) -> str:
    return (
        f"{path} is on a disk on which SQLite cannot share memory; set THREADKEEP_DB "
        "to a file on a local disk."
    )


def unlockable(*, path: object, reason: object) -> str:
    return (
        f"{path} cannot be locked ({reason}); set THREADKEEP_DB to a file on a local "
        "disk."
    )


def lock_unwritable(*, path: object, reason: object) -> str:
    return (
        f"{path} cannot be written ({reason}); make its directory writable, or "
        f"{SET_ANOTHER}."
    )


def in_use(*, path: object) -> str:
    return f"Another threadkeep is using {path}; stop it first, or {SET_ANOTHER}."


# Backups.
def backup_exists(*, path: object) -> str:
    return f"{path} exists already; choose another name, or remove it."


def backup_unwritable(*, path: object, reason: object) -> str:
    return f"{path} cannot be written: {reason}."


def backup_cut(*, path: object) -> str:
    return (
        f"{path} could not be written completely, and was removed: make room, or "
        "choose another disk."
    )
