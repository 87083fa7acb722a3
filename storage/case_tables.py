"""Migration: triage cases."""

from sqlite_utils import Database


def m006_cases(db: Database) -> None:
    """Add classified messages, and people's corrections."""
    place = ("platform", "workspace", "channel", "thread")
    said = ("message", "author", "reason", "corrected_by", "agreed_by")
    db.table("cases").create(
        {
            "id": int,
            **dict.fromkeys(place, str),
            "message": str,
            "at": float,
            "author": str,
            "reason": str,
            "corrected_by": str,
            "corrected_at": float,
            "agreed_by": str,
            "auto": bool,
            "shown": bool,
            # The corrections and the classified values, as JSON. The values are NULL
            # before the classification and if there is a reason why there are none.
            "corrected": str,
            "values": str,
            "text": str,
        },
        pk="id",
        not_null={
            *(*place, *said, "at", "corrected_at", "corrected", "text"),
            *("auto", "shown"),
        },
        defaults={
            **dict.fromkeys(("reason", "corrected_by", "agreed_by"), ""),
            "corrected_at": 0.0,
            "corrected": "{}",
            "auto": False,
            "shown": False,
        },
        strict=True,
    )
    db.table("cases").create_index(
        ["platform", "workspace", "channel", "message"], unique=True
    )
    # The triage budget sums its charges before each call.
    db.table("charges").create_index(["kind", "platform", "workspace", "channel", "at"])
