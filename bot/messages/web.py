"""Messages of the pages in the browser: the local workspace, and errors of the web
server."""

WORKSPACE = "Local workspace"
PRODUCT = "Threadkeep"
HINT = "To keep talking, reply here."

# Pages.
PAGES = "Pages"
NAV_WORKSPACE = "Workspace"
NAV_CONSOLE = "Console"

# Members and channels.
AN_ADMIN = "Admin of the workspace"
A_MEMBER = "Member"
A_GUEST = "Guest"
ABOUT_WELCOME = "Start here"
ABOUT_ENGINEERING = "Everything about code"
ABOUT_SUPPORT = "What customers ask"
ABOUT_LEADS = "Private: only Olga is in it"

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


def address_taken(*, address: str) -> str:
    return (
        f"Another program uses {address}: stop it, or set THREADKEEP_WEB to another "
        "port, such as 127.0.0.1:8081."
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
