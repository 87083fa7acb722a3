"""Messages about guests and people of other organisations, in channels shared with
them."""

TURNED_AWAY = (
    "Sorry, this channel is shared with another organisation, and I answer only "
    "members of my workspace here. Its admins can admit you by the setting `who` of "
    "this channel."
)
#: Below the first answer in such a channel.
MEMBERS_ONLY = (
    "This channel is shared with another organisation: I answer only members of my "
    "workspace here, until an admin admits others by the setting `who` of this channel."
)
ALL_ADMITTED = (
    "This channel is shared with another organisation: by its setting `who` I answer "
    "everyone here."
)
SOME_ADMITTED = (
    "This channel is shared with another organisation: of guests and its people I "
    "answer only those that the setting `who` names."
)
