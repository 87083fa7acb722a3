"""Messages about problems with a database on a PostgreSQL server, with remedies."""

NOT_INSTALLED = (
    "THREADKEEP_DB is the address of a PostgreSQL server; install Threadkeep with the "
    "extra for it: pip install 'threadkeep[postgres]'."
)
NO_ADDRESS = (
    "THREADKEEP_DB is not an address of PostgreSQL; write it as "
    "postgresql://USER:PASSWORD@HOST:5432/DATABASE, with special characters of the "
    "password as %XX."
)


def too_old(*, address: object, version: int, oldest: int) -> str:
    return (
        f"The server of {address} is PostgreSQL {version}; Threadkeep needs {oldest} "
        "or newer."
    )


def not_unicode(*, address: object, encoding: object) -> str:
    return (
        f"The database {address} stores texts as {encoding}; create one with the "
        "encoding UTF8 and set THREADKEEP_DB to it."
    )


def read_only(*, address: object) -> str:
    return (
        f"The server of {address} is a replica, which takes no writes; set "
        "THREADKEEP_DB to the address of the primary server."
    )


def writes_switched_off(*, address: object) -> str:
    return (
        f"{address} takes no writes (default_transaction_read_only is on), which some "
        "hosts set when its disk is full; make room there, or switch that off."
    )


def not_the_owner(*, address: object) -> str:
    return (
        f"The tables of {address} belong to another role; set THREADKEEP_DB to that "
        "role, or let it hand them over with ALTER TABLE … OWNER TO."
    )


def failed(*, address: object, problem: object) -> str:
    return f"{address} cannot be used: {problem}; correct that on the server."


def shared_sessions(*, address: object) -> str:
    return (
        f"{address} is a pooler that loses locks and notifications; set THREADKEEP_DB "
        "to the server itself, or set pool_mode = session in the pooler."
    )


def wrong_password(*, address: object) -> str:
    return (
        f"The server of {address} does not accept the user or the password; correct "
        "them in THREADKEEP_DB."
    )


def no_database(*, address: object) -> str:
    return f"There is no database {address}; create it, or correct THREADKEEP_DB."


def no_slots(*, address: object) -> str:
    return (
        f"The server of {address} has no free connections; raise its "
        "max_connections, or start fewer processes."
    )


def not_let_in(*, address: object) -> str:
    return (
        f"The server of {address} accepts no connections from here; add this machine "
        "to its pg_hba.conf or to the allowed addresses of its host."
    )


def starting(*, address: object) -> str:
    return f"The server of {address} is just starting or stopping; try again soon."


def refused(*, address: object, code: str) -> str:
    return f"The server of {address} refuses the connection ({code}); its log says why."


def unreachable(*, address: object) -> str:
    return (
        f"No PostgreSQL server answers at {address}; start it, or correct the host and "
        "port in THREADKEEP_DB."
    )


def moving(*, address: object) -> str:
    return (
        f"Everything in {address} is being moved; wait until that is done, and start "
        "again."
    )


def backup_by_server(*, address: object) -> str:
    return (
        f"{address} is backed up by the tools of its server; run pg_dump "
        "--format=custom --file=FILE on it, or let its host do so."
    )


def not_explored(*, address: object) -> str:
    return (
        f"{address} is no SQLite file; copy it into one with threadkeep move, or look "
        "into it with psql."
    )


def missing(*, address: object) -> str:
    return f"{address} has no tables yet; nobody has talked to the bot."


def outdated(*, address: object) -> str:
    return (
        f"{address} was written by an older threadkeep; start this one once to bring "
        "it up to date."
    )
