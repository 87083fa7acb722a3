"""Dates and times, as people read them."""

MONTHS = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)


def day(*, day: int, month: str, year: int) -> str:
    return f"{day} {month} {year}"


def minute(*, day: str, time: str) -> str:
    return f"{day}, {time}"


def without_year(*, day: int, month: str, time: str) -> str:
    return f"{day:02} {month} {time}"


def utc(*, time: str) -> str:
    return f"{time} UTC"
