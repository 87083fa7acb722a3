"""Sentences for people in a thread about a failure, by the kind of error."""

SOMETHING_WRONG = "Something went wrong here. Please try again in a moment."
NOT_SET_UP = "This bot is not set up correctly. Please tell its operator."
NO_ANSWER = "Claude could not answer. Please try again in a moment."
CLAUDE_BUSY = "Claude is busy right now. Please try again in a minute."
CLAUDE_UNREACHABLE = "Claude cannot be reached right now. Please try again in a minute."
CLAUDE_DENIES = (
    "Claude does not accept this bot's account or model at the moment. Please tell the "
    "bot's operator."
)
THREAD_TOO_LONG = (
    "This thread is too long for Claude. Please start a new one and repeat what still "
    "matters."
)
CLAUDE_REJECTS = (
    "Claude rejected this request. Please rephrase, or tell the bot's operator."
)
SERVER_FAILED = "A connected server failed here."
CONNECTION_LOST = "The connection to Claude was lost here."
VERY_BUSY = "I am very busy right now. Please try again in a minute."


def claude_busy(*, wait: str) -> str:
    return f"Claude is busy right now. Please try again in {wait}."


def model_gone(*, model: str) -> str:
    return (
        f"This bot cannot use the model `{model}`. Please ask an admin to choose "
        "another one."
    )


def server_failed(*, server: str) -> str:
    return f"{server} failed here, so I could not finish this answer."
