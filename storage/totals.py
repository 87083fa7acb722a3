"""Migration: the account of all workspaces together."""

from sqlite_utils import Database


def m009_totals(db: Database) -> None:
    """Add the account of the operator's scope, which covers all workspaces.

    Every charge is booked in the account of its workspace in the same period, so the
    sums of these accounts are the total spent and reserved amounts.
    """
    db.execute(
        """
        INSERT INTO accounts (platform, workspace, channel, period, spent, reserved)
        SELECT '', '', '', period, total(spent), total(reserved)
        FROM accounts WHERE channel = '' GROUP BY period
        """
    )
