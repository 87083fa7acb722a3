"""Checks the form of an API key, without the SDK."""

from bot.messages import claude as messages


def key_problem(api_key: str) -> str:
    """Return the problem of a key that cannot be sent in a header; "" for any other."""
    is_fit = api_key and all("!" <= char <= "~" for char in api_key)
    return "" if is_fit else messages.BAD_KEY
