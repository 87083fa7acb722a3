"""Messages about triage in the chat."""

HOW_TO_TRIAGE = (
    "In a thread, `triage` sorts the thread. In a channel, say how much: `triage last "
    "100` or `triage since monday`. A single message has “Triage this” in its menu."
)
NO_HISTORY = "I cannot read earlier messages on this platform, so I cannot triage them."
NOTHING_TO_TRIAGE = "There is nothing to triage here."
CASE_GONE = "That message was deleted, or I no longer have its result."
NO_SUCH_VALUE = "The scheme of this channel no longer has that value."
SINCE_EXPECTED = (
    "`since` takes `today`, `yesterday`, a weekday, an age such as 12h or 3d, or a day "
    "such as 2026-11-01."
)
