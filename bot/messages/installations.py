"""Sentences about installations of the app, and the keys that seal their tokens."""

from collections.abc import Sequence

# How many workspaces one sentence names.
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
