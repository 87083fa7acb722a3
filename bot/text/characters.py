"""Characters that can be stored and sent."""


def replace_lone_surrogates(text: str) -> str:
    """Return `text` with "?" for each lone surrogate.

    JSON can carry one half of a surrogate pair; UTF-8, and so SQLite and HTTP, cannot.
    A message must not be refused for ever because of one.
    """
    return text.encode("utf-8", "replace").decode("utf-8")
