"""Messages of `threadkeep token`."""

from bot.messages import plurals

SCOPE_HELP = (
    "What the token may do: ask (chat), read all threads of the API (read), or "
    "everything, the console included (admin). Repeat for several."
)
EXPIRES_HELP = "When it ends: an age (90d, 12h), a day (2027-01-31; UTC) or never."
RATE_HELP = "The most requests a minute."

NAME_RULE = (
    "A token is named by 1 to 32 lower-case letters and digits, the first a letter, "
    "such as website; “local” is taken."
)
EXPIRES_RULE = (
    "--expires takes an age such as 90d or 12h, a day in the future such as "
    "2027-01-31, or never."
)


def created(*, name: str, id: str) -> str:
    return (
        f"Token {id} for {name} is above. It is not shown again; keep it where only "
        "its user can read it."
    )


def revoked(*, count: int) -> str:
    return f"{plurals.TOKENS(count)} revoked."


def nothing_to_revoke(*, which: str) -> str:
    return f"No token that is accepted has the name or id {which}."


NO_TOKENS = "There are no tokens. `threadkeep token create NAME` makes one."

# Columns of the list, and the state of a token.
ID, NAME, SCOPES, RATE = "Id", "Name", "Scopes", "Rate"
CREATED, EXPIRES, USED, STATE = (
    *("Created (UTC)", "Expires (UTC)"),
    *("Last used (UTC)", "State"),
)
NEVER = "never"
VALID, EXPIRED, REVOKED = "valid", "expired", "revoked"


def rate(*, count: int) -> str:
    return f"{count:,}/min"
