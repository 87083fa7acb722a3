"""Messages of the pages in the browser, and errors of the web server."""

from bot.messages import plurals

WORKSPACE = "Local workspace"
PRODUCT = "Threadkeep"
HINT = "To keep talking, reply here."

# Pages.
PAGES = "Pages"
NAV_WORKSPACE = "Workspace"
NAV_CONSOLE = "Console"

# Members and channels.
AN_ADMIN = "Admin"
A_MEMBER = "Member"
A_GUEST = "Guest"
ABOUT_WELCOME = "Start here"
ABOUT_ENGINEERING = "Everything about code"
ABOUT_SUPPORT = "What customers ask"
ABOUT_LEADS = "Private: only Olga is in it"

# The local workspace.
APP = "App"
EDITED = "edited"
ONLY_YOU = "Only you see this"
REACTIONS = "Reactions"
RATE = "Rate this answer"
EVERYONE = "Everyone"
THINKING = "Thinking"
DELETED = "_This message was deleted._"
A_FILE = "file"
SKIP_TO_BOX = "To the message box"
CHANNELS = "Channels"
DIRECT_MESSAGES = "Direct messages"
ABOUT_DIRECT = "Only you and Claude"
SPEAK_AS = "You speak as"
THREADS = "Threads"
THREAD = "Thread"
YOUR_MESSAGE = "Your message"
YOUR_REPLY = "Your reply"
WRITE_IN_CHANNEL = "@Claude asks, / commands"
WRITE_IN_DIRECT = "Ask Claude, / commands"
WRITE_IN_THREAD = "Reply"
ATTACH = "Attach files"
SEND = "Send"
MENU = "Menu"

# The first screen.
WELCOME_TITLE = "Ask Claude in a thread"
WELCOME = (
    "This is a whole workspace on your machine: channels, threads and four made-up "
    "people to speak as. What you see here works the same in Slack and Discord."
)
EXAMPLES_TITLE = "Try one of these"
EXAMPLES = (
    "What can you do in a thread?",
    "Show me some code, and colour it.",
    "Write something long that I can stop.",
)
OFFLINE = (
    "The offline model answers now: it is not Claude, answers from a script and costs "
    "nothing."
)
SET_A_KEY = "For Claude, start again with a key from console.anthropic.com:"
KEY_LINE = "ANTHROPIC_API_KEY=… make run"
WITH_KEY = "Claude answers here, with the key that you set."
CONNECT = "To connect Slack or Discord:"
CONNECT_LINE = ".venv/bin/threadkeep setup"

# Texts of the pages' scripts.
SAID_BY_SCRIPTS = {
    "copy": "Copy",
    "copied": "Copied",
    "download": "Download",
    "dismiss": "Dismiss",
    "edit": "Edit",
    "delete": "Delete",
    "triage": "Triage this",
    "save": "Save",
    "cancel": "Cancel",
    "more": "More actions",
    "remove": "Remove",
    "settings": "Settings",
    "onlyYou": "Only you see this",
    "reconnecting": "The connection was lost. Connecting again …",
    "connected": "Connected again.",
    "unsent": "Not sent yet. It is sent as soon as the server answers.",
    "failed": "That did not work. Please try again.",
    "sureDelete": "Delete this message?",
    "claude": "Claude",
    "done": "The answer is complete.",
    "suggestions": "Suggestions",
}

# Errors.
NOT_OUR_NAME = (
    "This server does not answer under that name. Open the address that Threadkeep "
    "printed when it started."
)
FROM_ANOTHER_SITE = (
    "This request came from another site, so it was not carried out. Open Threadkeep "
    "itself and try again."
)
PAGE_IS_OLD = "This page is too old. Please reload it and try again."
NOT_FOUND = "There is no such page."
WRONG_METHOD = "This address does not take requests of that kind."
REQUEST_TOO_LARGE = "This is too large. Please send less at once."
NOT_UNDERSTOOD = "The server did not understand that request."
TOO_MANY_OPEN = "Too many pages are open now. Please try again in a minute."
SOMETHING_WRONG = "Something went wrong here. Please try again."
BACK = "To the workspace"
NO_SUCH_CHANNEL = "There is no such channel, or you are not in it."
NO_SUCH_THREAD = "There is no such thread. It may have been deleted."
NO_SUCH_MESSAGE = "There is no such message. It may have been deleted."
NOT_YOURS = "Only its author can do that."
NOTHING_TO_SEND = "There is nothing to send."


def address_taken(*, address: str) -> str:
    return (
        f"Another program uses {address}: stop it, or set THREADKEEP_WEB to another "
        "port, such as 127.0.0.1:8081."
    )


def health_address_taken(*, address: str) -> str:
    return (
        f"Another process uses {address}, so this one serves no health checks and no "
        "metrics: give each process on this machine a THREADKEEP_WEB of its own, such "
        "as 127.0.0.1:8081."
    )


def address_unusable(*, address: str) -> str:
    return (
        f"This machine has no address {address}: set THREADKEEP_WEB to one of its own, "
        "such as 127.0.0.1:8080."
    )


def listening(*, address: str) -> str:
    return f"Threadkeep is at {address} (Ctrl-C ends it)."


def open_to_others(*, address: str) -> str:
    return (
        f"Everybody who reaches {address} could use this server. Make a token with "
        "threadkeep token create, or set THREADKEEP_WEB_TRUSTED_PROXY to the name of a "
        "proxy that checks who people are."
    )


def replies(*, count: int) -> str:
    return plurals.REPLIES(count)


def file_size(*, kilobytes: int) -> str:
    return f"{kilobytes:,} KB"


def too_long(*, most: int) -> str:
    return (
        f"A message has at most {most:,} characters. Please attach longer text as a "
        "file."
    )


def too_large(*, most: int) -> str:
    return f"The files of a message may have {most} MB together. Please send less."


def too_many_files(*, most: int) -> str:
    return f"A message may have {most} files. Please send the rest in another one."
