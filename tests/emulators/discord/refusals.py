"""Discord's errors that the emulator raises, with their codes (B4)."""

from tests.emulators.discord.model import Refused


def invalid(field: str, code: str, message: str) -> Refused:
    """Return the error for an invalid field, which it names, as Discord does (B5.1)."""
    errors = {field: {"_errors": [{"code": code, "message": message}]}}
    return Refused(400, 50035, "Invalid Form Body", errors=errors)


def too_long(field: str, most: int) -> Refused:
    message = f"Must be {most} or fewer in length."
    return invalid(field, "BASE_TYPE_MAX_LENGTH", message)


def unknown_reference() -> Refused:
    return invalid("message_reference", "REPLIES_UNKNOWN_MESSAGE", "Unknown message")


def unauthorized() -> Refused:
    return Refused(401, 0, "401: Unauthorized")


def too_large() -> Refused:
    return Refused(413, 40005, "Request entity too large")


def missing_access() -> Refused:
    return Refused(403, 50001, "Missing Access")


def not_in_direct_messages() -> Refused:
    return Refused(403, 50003, "Cannot execute action on a DM channel")


def no_direct_messages() -> Refused:
    return Refused(403, 50007, "Cannot send messages to this user")


def empty_message() -> Refused:
    return Refused(400, 50006, "Cannot send an empty message")


def missing_permissions() -> Refused:
    return Refused(403, 50013, "Missing Permissions")


def wrong_channel() -> Refused:
    return Refused(400, 50024, "Cannot execute action on this channel type")


def thread_archived() -> Refused:
    return Refused(400, 50083, "Thread is archived")


def has_a_thread() -> Refused:
    message = "A thread has already been created for this message"
    return Refused(400, 160004, message)


def too_many_threads() -> Refused:
    return Refused(400, 160006, "Maximum number of active threads reached")


def blocked() -> Refused:
    return Refused(400, 200000, "Message was blocked by automatic moderation")


def thread_locked() -> Refused:
    return Refused(403, 160005, "Thread is locked")
