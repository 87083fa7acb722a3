"""Messages about the options of one API request."""

NO_AUTO = "A request names one model; `auto` is a setting of the channel."
STOPS = (
    "A stop sequence is a text without line breaks that is not only spaces; those of "
    "the channel count, too."
)


def too_many_tokens(*, most: int) -> str:
    return (
        f"This channel allows at most {most:,} tokens for an answer. An admin can "
        "raise its setting max_tokens."
    )


def restricted(*, model: str) -> str:
    return f"The model {model} is not open to everybody. An admin can set it here."
