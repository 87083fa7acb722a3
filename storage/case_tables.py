"""Migration: triage cases."""

from sqlite_utils import Database


def m006_cases(db: Database) -> None:
    """Classified messages, and the corrections of people."""
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
            # As JSON: the corrections; and the values, NULL if there is a reason or
            # none yet.
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
    # The budget of triage sums its charges before each call.
    db.table("charges").create_index(["kind", "platform", "workspace", "channel", "at"])
