"""How a post is found again. Frozen values."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PostKey:
    """Names a post whose outcome may be unknown, so that it is posted only once."""

    #: Unique among the posts of the bot. At most 25 characters, since it is the nonce
    #: of a message on Discord (facts B5).
    name: str
    #: A time before the first attempt, in seconds since 1970.
    since: float
    #: Whether an earlier attempt may have succeeded.
    again: bool = False
