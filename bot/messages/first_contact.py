"""Messages to people who meet the bot for the first time."""

#: Shown above buttons for `EXAMPLES` and a button that lists the commands.
GREETING = (
    "Hi! I bring Claude into your conversations. Ask me anything here, or mention me "
    "in a channel, and I answer in a thread. Three things to try:"
)
#: Questions by name; each is also the label of the button that asks it.
EXAMPLES = {
    "update": "Help me write a short status update",
    "compare": "Compare two options with me in a table",
}
WHAT_ELSE = "What else can you do?"

#: For the person who added the bot to a channel; shown above a button.
ADDED = (
    "Thanks for adding me. Mention me here with a question, and I answer in a thread."
)
SET_UP = "Set up this channel"


def joined(*, server: str) -> str:
    return (
        f"I was added to {server}, which you own. People can mention me there, or use "
        "`/ask`. `/claude settings` in a channel shows what applies there and lets you "
        "change it."
    )
