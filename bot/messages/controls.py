"""Messages of platforms about buttons, forms and the limits of the platform."""

from bot.messages import plurals

NOT_THERE = (
    "I couldn't see you in the channel that this is about, so I did nothing. If it is "
    "a private channel, please add me to it."
)
WORKING = "Working on it …"
THANKS = "Thanks for the feedback!"
NO_ANSWER = "I no longer have that answer, so I couldn't store your feedback."

NOT_SAID = "This isn't a message from a person that I can read, so I can't triage it."
NO_FILE = (
    "I couldn't attach the table as a file. If this happens again, please give the app "
    "the scope `files:write`."
)
FORM_REFUSED = (
    "This form can't be shown now, so nothing can be changed here. This is what it "
    "holds:"
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
    "I can't show my answer there: the thread is locked, or I don't have permission "
    "to send messages. Somebody who manages the channel can change that."
)
HIDDEN = (
    "I can't show my answer there: I can no longer see the channel or thread. Somebody "
    "who manages it can change that."
)
LOCKED = "This thread is locked, so I can't answer in it. Please ask somewhere else."
NOWHERE = "I can't talk in this kind of channel. Please ask me in a text channel."

# Text that does not fit.
REST_IN_FILE = "_The rest is in the file._"
MORE_THAN_SHOWN = "_There is more than can be shown here._"

# Forms.
FORM_TO_FILL_IN = "Please open the form and fill it in."
ONLY_FOR_YOU = "Others could read this here. The button shows it to you alone."
NEEDS_A_FORM = "This needs a form. Please give the command once more."


def as_file(*, length: int, most: int, command: str) -> str:
    return (
        f"This has {length:,} characters, and a form's input holds {most:,}, so here "
        f"is the whole text as a file. Change it, and upload it with `{command}` or "
        "with the button."
    )


# Files.
def text_file_needed(*, kilobytes: int) -> str:
    return (
        "I couldn't read that file. Please upload a text file (.txt, .md or .yaml) in "
        f"UTF-8 of at most {kilobytes} KB."
    )


def not_a_text_file(*, file: str) -> str:
    return f"{file} is not a .txt, .md or .yaml file; please upload one of these."


def file_too_large(*, file: str, kilobytes: int, most: int) -> str:
    return (
        f"{file} has {kilobytes:,} KB, and I accept at most {most} KB; please shorten "
        "it."
    )


def file_not_fetched(*, file: str) -> str:
    return f"I couldn't get {file} from Discord; please upload it again."


def file_not_utf8(*, file: str) -> str:
    return f"{file} is not UTF-8 text; please save it as UTF-8 and try again."


def answered_without_file(*, file: str, megabytes: int, most: int) -> str:
    return (
        f"{file} has {megabytes:,} MB, and I accept at most {most} MB, so I'm "
        "answering without it."
    )


# Channels.
NAME_CHANNEL_DISCORD = "Type # and choose the channel from the list, or paste its ID."
NAME_CHANNEL_SLACK = (
    "In a command, type # and choose the channel from the list; in a form, paste its "
    "ID, which is at the end of the channel's details in Slack."
)


def permissions_missing(*, permissions: str) -> str:
    return (
        f"I can't answer here: I don't have {permissions} in this channel. Somebody "
        "who manages it can allow that."
    )


AND = " and "


# Answers.
def asks(*, author: str) -> str:
    return f"**{author}** asks:"


def asks_about(*, author: str, link: str) -> str:
    return f"**{author}** asks about {link}:"


THIS_MESSAGE = "this message"
THINKING_STATUS = "is thinking…"
SEARCHING_STATUS = "is searching the web…"
READING_STATUS = "is reading a page…"


ASKING = "is asking a server…"


def asking_status(*, server: str) -> str:
    return f"is asking {server}…"


def reading_status(*, host: str) -> str:
    return f"is reading {host}…"


SEARCHED_CARD = "Searched the web"
READ_CARD = "Read a page"
ASKED_CARD = "Asked a server"


def read_card(*, host: str) -> str:
    return f"Read {host}"


def asked_card(*, server: str) -> str:
    return f"Asked {server}"


THINKING = "_Thinking…_"
ANSWER_READY = "your answer is complete."
SOURCES = "Sources:"


def document(*, number: int) -> str:
    return f"Document {number}"


def on_page(*, title: str, page: int) -> str:
    return f"{title}, page {page}"


def on_pages(*, title: str, first: int, last: int) -> str:
    return f"{title}, pages {first}–{last}"


def more_sources(*, count: int) -> str:
    return f"… and {plurals.MORE_SOURCES(count)}."


A_QUESTION = "A question"
A_FILE = "a file"
