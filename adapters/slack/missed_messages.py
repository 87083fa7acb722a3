"""Takes in what was said in a thread while the bot did not hear it."""

from functools import partial

from adapters.slack.workspace import Workspace
from bot.domain.scope import ThreadKey
from bot.ports.host import Inbox
from bot.runtime.retry import retry_until_success

# How far before the last known message reading starts, in seconds: a process that was
# killed may have stored a later message and not an earlier one.
OVERLAP = 600.0
# The most messages of a thread or channel that are read.
MOST = 200
# How long one reading may wait for rate limits, in seconds.
PATIENCE = 300.0


async def take_in(
    inbox: Inbox, there: Workspace, thread: ThreadKey, since: float
) -> None:
    """Take in the messages of `thread` since then, in seconds since 1970, and edits of
    those that are known. Raises DeliveryError, and AccessRevoked."""
    found = await there.history.after(thread, since - OVERLAP, MOST, PATIENCE)
    for each, is_edited in found:
        if each.echo:
            continue
        await retry_until_success(partial(inbox.receive, each))
        if is_edited:
            amend = partial(inbox.amend, each, newly_addressed=each.addressed)
            await retry_until_success(amend)
