"""Labels of buttons, menus, forms and tables: a few words, without a full stop."""

# Buttons below an answer.
STOP = "Stop"
RETRY = "Retry"
CONTINUE = "Continue"
RECEIPT = "Receipt"
ANSWER_AGAIN = "Answer again"
SHOW_SUMMARY = "Show summary"
READ_FILE = "Read it"
FIRST_PAGES = "First 20 pages"
SKIP_FILE = "Skip"
ATTACH_FILES = "As files"

# Settings and prompts.
SAVE = "Save"
CHANGE = "Change"
SAVE_MINE = "Save mine"
KEEP_THEIRS = "Keep theirs"
KEEP_WRITING = "Keep writing"
SAVE_PROMPT = "Save this prompt"
TRY_PROMPT = "Try a prompt"
TRY = "Try"
WHOLE_PROMPT = "Whole prompt"
HISTORY = "History"
BUDGET = "Budget"
AUDIT = "Audit"
INSTRUCTIONS = "Instructions"
MODEL_AND_ANSWERS = "Model and answers"
SPENDING = "Spending"
ACCESS = "Access"
EDIT_INSTRUCTIONS = "Edit instructions"
EDIT_ANSWERS = "Edit answers"
EDIT_SPENDING = "Edit spending"
EDIT_ACCESS = "Edit access"
EDIT_TRIAGE = "Edit triage"
SHOW_ALL = "Show all"
ALL_SETTINGS = "All settings"
SET_UP_CHANNEL = "Set up a channel …"
COPY_FROM = "Copy settings from another channel …"
COPY = "Copy these"
COMPARE_WITH = "Compare with …"
ROLL_BACK_TO = "Roll back to …"
PROMPT_DRAFT = "Draft of the prompt"
TEST_QUESTION = "A question to try it on"
WHICH_THREADS = "Which threads"
NEW_THREADS = "New threads only"
NEW_THREADS_ABOUT = "Existing ones keep the old setting"
ALL_THREADS = "Existing threads, too"
ALL_THREADS_ABOUT = "A note there says so"
APPLIES_TO = "Applies to"
EVERYWHERE = "Everywhere"
UNDO = "Undo"
HELP = "Help"
UNDO_LAST = "Undo last change"

# The bot's home page.
OWN_USAGE = "Your own usage"
USAGE = "Usage"
DETAILS = "Details"
CHANNELS = "Channels"
HOW_TO_TALK = "How to talk to me"
MORE_CHANNELS = "More channels"
SETTINGS = "Settings"

# Triage.
TRIAGE = "Triage"
LEARN = "Learn from this"
NOT_SORTED = "not sorted"

# Choices and parameters of commands.
A_DAY = "a day"
A_MONTH = "a month"
HERE_THREAD = "This thread"
HERE_CHANNEL = "This channel"
HERE_SERVER = "This server"
HERE_DIRECT = "This conversation"


def version(*, number: int) -> str:
    return f"Version {number}"


def roll_back_to(*, number: int) -> str:
    return f"Roll back to version {number}"


def change_for(*, where: str) -> str:
    return f"Change for {where} …"


def settings_of(*, where: str) -> str:
    return f"Settings of {where}"


def not_set_here(*, inherited: str) -> str:
    return f"Not set here: {inherited}"


def another(*, field: str) -> str:
    return f"Another {field} …"


# Controls of the platforms.
CLOSE = "Close"
CANCEL = "Cancel"
OPEN_FORM = "Open the form"
SHOW = "Show"
GIVE_FILE = "Upload a file …"
OR_TEXT_FILE = "Or a text file"
YOUR_QUESTION = "Your question"
GOOD_ANSWER = "Good answer"
BAD_ANSWER = "Bad answer"
ASK_ABOUT_THIS = "Ask Claude about this"
TRIAGE_THIS = "Triage this"

# The names of permissions in the settings of a Discord server.
VIEW_CHANNEL = "View Channel"
SEND_MESSAGES = "Send Messages"
SEND_IN_THREADS = "Send Messages in Threads"
CREATE_THREADS = "Create Public Threads"


def continued(*, field: str) -> str:
    return f"{field}, continued"


def user_groups(*, field: str) -> str:
    return f"{field}: user groups"


def file_hint(*, most: int) -> str:
    return f"A .txt, .md or .yaml file in UTF-8, up to {most:,} characters"


def instead_of_text(*, most: int) -> str:
    return f"Instead of the text above: .txt, .md or .yaml, up to {most:,} characters."


def input_hint(*, most: int) -> str:
    return f"Up to {most:,} characters here; more as a file"
