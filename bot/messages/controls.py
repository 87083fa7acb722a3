"""Messages of platforms about buttons, forms and what cannot be done there."""

NOT_THERE = (
    "I couldn't see you in the channel that this is about, so I did nothing. If it is "
    "a private channel, please add me to it."
)
UNKNOWN = "I don't know that command. `/claude help` lists all commands."
WORKING = "Working on it …"
THANKS = "Thanks for the feedback!"
NO_ANSWER = "I no longer have that answer, so I couldn't store your feedback."

NOT_SAID = "This isn't a message from a person that I can read, so I can't triage it."
NO_FILE = (
    "I couldn't attach the table as a file. If this happens again, please give the app "
    "the scope `files:write`."
)
LATE = "That took too long for Slack to open a window. Please try again."

HINT = "To keep talking, mention me or reply to my message."
NO_QUESTION = "There was no question in this. Please ask me something."
NO_TARGET = "I can no longer read that message. Please ask about it in your own words."
BLOCKED = (
    "AutoMod of this server blocked this part of my answer. Somebody who manages the "
    "server can change what it blocks."
)
NOT_SHOWN = (
    "I may not show my answer there: the thread is locked, or I lack the permission to "
    "send messages. Somebody who manages the channel can change that."
)
LOCKED = "This thread is locked, so I can't answer in it. Please ask somewhere else."
NOWHERE = "I can't talk in this kind of channel. Please ask me in a text channel."
