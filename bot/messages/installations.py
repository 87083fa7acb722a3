"""Sentences about installations of the app, and the keys that seal their tokens."""


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
