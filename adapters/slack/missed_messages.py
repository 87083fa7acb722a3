"""Takes in the messages of a thread whose events did not arrive, and deletes stored
messages that people deleted meanwhile: Slack drops the events of both (facts A2).

Rule: only a range that was read completely says that a message was deleted.
"""

import logging
import time
from functools import partial

from adapters.slack.config import PLATFORM
from adapters.slack.workspace import Workspace
from bot.domain.scope import Scope, ThreadKey
from bot.ports.host import Host
from bot.runtime.retry import retry_until_success

log = logging.getLogger(__name__)

# How long before the last known message reading starts, in seconds. A process that was
# killed may have stored a later message but not an earlier one.
OVERLAP = 600.0
# The most messages of a thread or channel that are read.
MOST = 200
# The longest time in seconds that one read waits for rate limits.
PATIENCE = 300.0
# The pause between two reads, in seconds: half of the calls that Slack allows (facts
# A5.1).
PACE = 2.4
# A message that was posted so many seconds ago is in the thread that Slack returns: our
# clock and Slack's may differ.
SETTLED = 60.0


async def take_in(
    host: Host, there: Workspace, thread: ThreadKey, since: float
) -> None:
    """Take in the messages of `thread` after `since`, in seconds since 1970, and the
    edits and deletions of known messages. Raises DeliveryError, AccessRevoked or
    StorageError."""
    inbox, oldest = host.inbox, since - OVERLAP
    settled = time.time() - SETTLED
    known = await host.conversations.said(Scope.of(thread), oldest)
    found = await there.history.after(
        *(thread, oldest, MOST, PATIENCE),
        shared=await there.people.is_shared(thread.channel),
    )
    gone = [
        each.message
        for each in known
        if oldest < each.at <= min(found.last, settled)
        and _is_ts(each.message)
        and each.message not in found.shown
    ]
    if gone:
        log.info("slack.missed_deletions thread=%s messages=%d", thread, len(gone))
        at = PLATFORM, thread.workspace, gone, thread.channel
        await retry_until_success(partial(inbox.erase, *at))
    for each, is_edited in found.messages:
        if each.echo:
            continue
        await retry_until_success(partial(inbox.receive, each))
        if is_edited:
            amend = partial(inbox.amend, each, newly_addressed=each.addressed)
            await retry_until_success(amend)


def _is_ts(message: str) -> bool:
    # Additions to messages have ids that begin with a sign (`bot.domain.reply.ADDED`).
    return message.replace(".", "", 1).isdecimal()
