"""Responses at Slack's request URL, which explain why a request is refused.

No response quotes any part of a request.
"""

UNKNOWN_PATH = "Nothing is at this address: Slack's request URL ends in /slack/events."
NOT_POSTED = "Only Slack posts to this address."
WRONG_TYPE = "Slack sends application/json or application/x-www-form-urlencoded."
UNSIGNED = "The request has no signature of Slack's."
OLD = (
    "The signature is more than five minutes old: check the clock of this machine, and "
    "that the proxy passes requests on at once."
)
FORGED = (
    "The signature is not that of this app: set SLACK_SIGNING_SECRET to the signing "
    "secret on the app's page."
)
UNREADABLE = "The body is neither JSON nor a form that Slack sends."
BUSY = "Too many requests are being read: send this one again."
LATE = "The request is not stored yet: send it again."
REFUSED = "The request could not be stored: send it again."


def too_large(*, most: int) -> str:
    return f"The body is larger than {most:,} bytes, and Slack sends no such request."


def impossible(*, field: str) -> str:
    return f"Slack never sends a request whose field {field} is like this."
