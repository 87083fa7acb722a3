"""Messages about problems with the tables of a PostgreSQL database, with remedies."""


def foreign(*, name: str, table: str) -> str:
    return (
        f"The database {name} belongs to another program (it has the table {table}); "
        "create an empty one and set THREADKEEP_DB to it."
    )


def newer(*, name: str, version: str) -> str:
    return (
        f"The database {name} was changed by a newer threadkeep ({version}); upgrade "
        "this one."
    )


def half(*, name: str, missing: str) -> str:
    return (
        f"The database {name} lacks {missing}, which it had according to its own "
        "record; restore it from a backup."
    )


def half_moved(*, name: str) -> str:
    return (
        f"The database {name} has only a part of what is moved to it; run threadkeep "
        "move again to its end."
    )


def may_not_create(*, name: str, role: str) -> str:
    return (
        f"The role {role} may not create tables in the database {name}; let its owner "
        f"run GRANT CREATE, USAGE ON SCHEMA public TO {role}."
    )


def migrating(*, name: str) -> str:
    return (
        f"Another threadkeep has been changing the tables of the database {name} for a "
        "minute; wait until it has started, or stop it, and start this one again."
    )


def tables_locked(*, name: str) -> str:
    return (
        f"The tables of the database {name} cannot be changed because a query holds "
        "them; end long queries and transactions, and start again."
    )
