"""Errors of calls to Discord that this package tells apart from the core's."""

from bot.errors import DeliveryError, ThreadGone


class BlockedByAutoMod(DeliveryError):
    """The server's AutoMod rejects this content."""


class Forbidden(ThreadGone):
    """The bot may not write in this place. Somebody who manages the place can change
    that."""


class Hidden(ThreadGone):
    """The bot may not see this place, or was removed from its server."""


class Archived(DeliveryError):
    """The thread is archived, so none of its messages can be edited (facts B6)."""
