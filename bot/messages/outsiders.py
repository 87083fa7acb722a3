"""Messages about guests and members of other organisations, in shared channels."""

TURNED_AWAY = (
    "Sorry, this channel is shared with another organisation, and I answer only "
    "members of my workspace here. An admin can add you with the setting `who`."
)
#: Shown below the first answer in a shared channel.
MEMBERS_ONLY = (
    "This channel is shared with another organisation: I answer only members of my "
    "workspace here, until an admin adds others with the setting `who`."
)
ALL_ADMITTED = (
    "This channel is shared with another organisation, and its setting `who` lets "
    "everyone here ask me."
)
SOME_ADMITTED = (
    "This channel is shared with another organisation: I answer only those guests and "
    "members of theirs whom the setting `who` names."
)
