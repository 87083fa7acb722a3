"""Messages of `threadkeep setup`."""

BEGIN = (
    "This asks for each token in turn, tries it, and writes it to .env. Press Enter to "
    "skip or keep one, Ctrl-C to leave; what was accepted is kept."
)
SLACK_APP_TOKEN = (
    "Slack: on the app's page under Basic Information, App-Level Tokens, generate a "
    "token with the scope connections:write, and paste it (xapp-…)."
)
INVITE_SLACK = (
    "In Slack, type `/invite @threadkeep` in a channel, and mention the bot there."
)
INVITE_DISCORD = "Open this link to add the bot to your server:"
NOT_ACCEPTED = "That was not accepted, so it is not written. Try again, or press Enter."
NOTHING_SET = "Nothing is set up, so `threadkeep serve` answers in the browser."
DONE = "Done. `threadkeep check` shows everything, `threadkeep serve` starts the bot."
LEFT = "Left. What was accepted is in .env; `threadkeep setup` goes on from there."


def claude(*, link: str) -> str:
    return f"Claude: create an API key and paste it here. It is not shown.\n{link}"


def discord(*, link: str) -> str:
    return (
        "Discord: create an application, choose Bot, Reset Token, and paste the token. "
        "Switch on Message Content Intent there, so that people go on without a "
        f"mention.\n{link}"
    )


def slack_bot_token(*, link: str) -> str:
    return (
        "Slack: create the app from this link, choose Install to Workspace, and paste "
        f"the Bot User OAuth Token (xoxb-…) from OAuth & Permissions.\n{link}"
    )


def asked(*, variable: str) -> str:
    return f"{variable}: "


def asked_again(*, variable: str) -> str:
    return f"{variable} (set; Enter keeps it): "


def written(*, variable: str) -> str:
    return f"{variable} is written to .env."


def unwritable(*, reason: object) -> str:
    return f".env cannot be written: {reason}."


def outranked(*, variable: str) -> str:
    return (
        f"{variable} is set in the environment, which takes precedence over .env: "
        "change it there."
    )
