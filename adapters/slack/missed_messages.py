"""Takes in the messages of a thread whose events did not arrive."""

from functools import partial

from adapters.slack.workspace import Workspace
from bot.domain.scope import ThreadKey
from bot.ports.host import Inbox
from bot.runtime.retry import retry_until_success

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


async def take_in(
    inbox: Inbox, there: Workspace, thread: ThreadKey, since: float
) -> None:
    """Take in the messages of `thread` after `since`, in seconds since 1970, and the
    edits of known messages. Raises DeliveryError or AccessRevoked."""
    found = await there.history.after(
        *(thread, since - OVERLAP, MOST, PATIENCE),
        shared=await there.people.is_shared(thread.channel),
    )
    for each, is_edited in found:
        if each.echo:
            continue
        await retry_until_success(partial(inbox.receive, each))
        if is_edited:
            amend = partial(inbox.amend, each, newly_addressed=each.addressed)
            await retry_until_success(amend)
