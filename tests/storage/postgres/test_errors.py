"""PostgreSQL's errors are translated."""

import pytest
from psycopg import errors

from bot.errors import StorageError, StorageFull, StorageRejected
from storage.postgres.errors import is_lost, is_transient, translate


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (errors.DiskFull, StorageFull),
        (errors.UniqueViolation, StorageRejected),
        (errors.NumericValueOutOfRange, StorageRejected),
        (errors.UndefinedTable, StorageError),
        (errors.AdminShutdown, StorageError),
    ],
)
def test_each_is_one_that_the_rest_knows(
    error: type[errors.Error], kind: type[StorageError]
) -> None:
    found = translate(error("DETAIL: Key (text)=(what somebody said)"))
    assert type(found) is kind
    assert error.sqlstate is not None
    assert error.sqlstate in str(found)
    assert "somebody" not in str(found)


def test_what_others_caused_is_tried_again() -> None:
    assert is_transient(errors.DeadlockDetected())
    assert is_transient(errors.SerializationFailure())
    assert not is_transient(errors.UniqueViolation())


def test_a_server_that_ends_is_lost() -> None:
    assert is_lost(errors.AdminShutdown())
    assert is_lost(errors.ConnectionFailure())
    assert is_lost(errors.OperationalError())
    assert not is_lost(errors.DiskFull())
    assert not is_lost(errors.QueryCanceled())
