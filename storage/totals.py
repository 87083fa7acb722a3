"""The step by which databases came to know what all workspaces together spent."""

from sqlite_utils import Database


def m009_totals(db: Database) -> None:
    """An account at no place, which is that of all workspaces together.

    Every charge is booked in the account of its workspace, in the same period, so
    their sum is what was spent and is set aside in all.
    """
    db.execute(
        """
        INSERT INTO accounts (platform, workspace, channel, period, spent, reserved)
        SELECT '', '', '', period, total(spent), total(reserved)
        FROM accounts WHERE channel = '' GROUP BY period
        """
    )
