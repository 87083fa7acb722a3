"""Texts of the pages for people who install the Slack app."""

PRODUCT = "Threadkeep"

TITLE_INSTALL = "Add Threadkeep to Slack"
INSTALL = (
    "Threadkeep brings Claude into the threads of your workspace. Slack shows what it "
    "asks for, and nothing is installed before you agree there."
)
ADD = "Add to Slack"

TITLE_DONE = "Threadkeep is installed"
NEXT = (
    "In Slack, invite it to a channel with /invite @threadkeep and mention it with a "
    "question, or write to it in private. /claude shows its settings."
)
OPEN_SLACK = "Open Slack"

TITLE_CANCELLED = "Nothing was installed"
CANCELLED = (
    "You did not agree to the installation in Slack. You can start again any time."
)

TITLE_FAILED = "Threadkeep was not installed"
USED_STATE = (
    "This link was used before, or is more than ten minutes old. Start the "
    "installation again."
)
FOREIGN_STATE = (
    "The installation was not started in this browser, or the browser keeps no "
    "cookies. Start it again here."
)
USED_CODE = (
    "Slack's answer was used before, or has expired. Start the installation again."
)
NO_CODE = "Slack's answer is incomplete. Start the installation again."
OPERATOR = (
    "Slack does not accept the settings of this Threadkeep. Ask the person who runs "
    "it: its log says what to correct."
)
UNREACHABLE = (
    "Slack or the database cannot be reached now. Wait a minute, and start again."
)
NOT_SERVED = (
    "This Threadkeep does not serve your workspace, so its access was given back. Ask "
    "the person who runs it to add the workspace to THREADKEEP_WORKSPACES."
)
MANY = "Many people are installing Threadkeep now. Wait a minute, and start again."
AGAIN = "Start again"


def done(*, name: str) -> str:
    return f"{name} can use Threadkeep now."


def refused(*, reason: str) -> str:
    return f"Slack refused the installation ({reason}). Start it again."
