"""Messages about installations of the app, and the keys that seal their tokens."""

from collections.abc import Sequence

from bot.messages import plurals

# The most workspaces that one sentence names.
_MOST_NAMED = 20


def key_lost(*, place: object) -> str:
    return (
        f"No key in THREADKEEP_KEYS opens the token of {place}: add the key that was "
        "lost, or install the app there again."
    )


def not_its_token(*, place: object) -> str:
    return (
        f"The stored token of {place} was changed or belongs to another workspace: "
        "install the app there again."
    )


def refused(*, place: str, error: object) -> str:
    return f"Slack rejects the token of {place} ({error}): install the app there again."


def not_installed(*, place: str) -> str:
    return f"The app is not installed in {place}: install it there."


def has_ended(*, place: str) -> str:
    return f"The app was removed from {place}: install it there again."


def unknown_now(*, place: str) -> str:
    return f"cannot tell now whether the app is installed in {place}"


def not_renewed(*, place: str, error: str) -> str:
    return f"the token of {place} expired, and Slack gives no new one now: {error}"


def keys_lost(*, places: Sequence[str]) -> str:
    named = ", ".join(places[:_MOST_NAMED])
    more = len(places) - _MOST_NAMED
    others = f" and {more} more" if more > 0 else ""
    return (
        f"no key in THREADKEEP_KEYS opens the tokens of {named}{others}: add the key "
        "that was lost and restart, or have the app installed there again."
    )


def token_ended(*, place: str) -> str:
    return (
        f"Slack rejects the token of {place}, so nobody there is answered: have the "
        "app installed there again."
    )


def nobody(*, user: str) -> str:
    return f"no workspace that installed the app knows {user}"


def home_unknown_now(*, user: str) -> str:
    return f"Slack cannot be asked now which workspace knows {user}"


def secret_refused(*, error: str) -> str:
    return (
        f"Slack does not accept SLACK_CLIENT_ID with SLACK_CLIENT_SECRET ({error}): "
        "copy both again from the app's page, Basic Information, App Credentials."
    )


def redirect_refused(*, error: str) -> str:
    return (
        f"Slack does not accept the redirect URL ({error}): enter the value of "
        "SLACK_REDIRECT_URL on the app's page under OAuth & Permissions, Redirect URLs."
    )


# `threadkeep keys`.
NEW_KEY = (
    "Put it in front of the others in THREADKEEP_KEYS, and keep a copy apart from the "
    "database: without it, workspaces must install the app again."
)


def rotated(*, count: int) -> str:
    return f"{plurals.WORKSPACES(count)} encrypted again with the newest key."


# `threadkeep workspaces`.
NO_WORKSPACES = "No workspace has installed the app."
ID, NAME, STATE, BY = "Id", "Name", "State", "By"
INSTALLED, ENDED, DELETED = "Installed (UTC)", "Ended (UTC)", "Deleted (UTC)"
INSTALLED_NOW = "installed"
STILL_LISTED = (
    "Slack did not take the token back, and may list the app there until an admin of "
    "the workspace removes it."
)


def removed(*, place: str) -> str:
    return f"{place} is removed, and nobody there is answered."


def nothing_to_remove(*, place: str) -> str:
    return f"{place} has not installed the app: see `threadkeep workspaces list`."
