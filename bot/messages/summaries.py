"""What each command does, in lists and menus of commands, and its parameters.

A summary has less than 100 characters, a parameter's at most 100.
"""

NEW = "Start over: ignore everything above."
STOP = "Stop the answer that is being written here."
RETRY = "Answer the last question again."
RECEIPT = "Show what an answer was made from and what it cost."
SETTINGS = "Show the settings here and where each comes from."
MODEL = "Show or choose the model that answers here."
BUDGET = "Show or set the budget for answers here."
PROMPT = "Show or change my instructions here."
PROMPT_SHOW = "Show my instructions here."
PROMPT_SET = "Change my instructions here."
PROMPT_HISTORY = "List the versions of the prompt."
PROMPT_DIFF = "Compare a version with the current one."
PROMPT_ROLLBACK = "Roll back to an earlier version."
PROMPT_TRY = "Try a prompt on one question before saving it."
USAGE = "Show what answers here have cost."
SET = "Change any setting."
AUDIT = "Show who changed what here, and when."
SEARCH = "Search what was said in the threads that you can read."
HELP = "How to talk to the bot."
TRIAGE = "Triage this thread, or messages of this channel, as support tickets."

# Commands of buttons and forms.
TRIAGE_CORRECT = "Correct how a message was triaged."
TRIAGE_AGREE = "Make a correction an example."
STOP_ANSWER = "Stop this answer."
RETRY_ANSWER = "Answer again."
ANSWER_AGAIN = "Answer a changed question again."
CONTINUE_ANSWER = "Continue this answer."
TRY_EXAMPLE = "Ask an example."
EDIT_SECTION = "Open the form of a section of settings."
EDIT = "Open the form of one setting."
COPY_SETTINGS = "Show what copying settings from another channel would change."
COPY_SAVE = "Copy settings from another channel."
SAVE = "Save a form."
UNKNOWN = "Name the command that is nearest to what was typed."
UNDO = "Undo a change of settings."
DRAFT_SAVE = "Save a draft."
DRAFT_DROP = "Discard a draft."
DRAFT_EDIT = "Keep writing a draft."
TRY_RUN = "Answer one question with a draft."

RECEIPT_ANSWER = "Show the receipt of this answer."

# Parameters.
WHICH_ANSWER = "2 for the last answer but one, and so on; or the link of an answer"
USAGE_VIEW = "Details: tokens, and what caching saved"
VIEW = "All settings, also those at their default"
WHERE = "This thread, this channel, or everywhere"
VERSION = "The number of the version"
MODEL_VALUE = "A model, auto, or inherit"
PERIOD = "A day or a month"
BUDGET_VALUE = "USD, or none"
PROMPT_FILE = "A text file with the prompt"
OPTION = "What to change"
VALUE = "The new value, or inherit"
WORDS = "Words that the message has, in any order"
TRIAGE_LAST = "How many messages of this channel"
TRIAGE_SINCE = "From when on: today, monday, 3d, 2026-11-01"

# Discord's own commands and groups.
ASK = "Ask Claude, in a thread."
ASK_QUESTION = "What you want to know"
ASK_FILE = "A file that it is about"
FOR_EVERYBODY = "Work with Claude here."
FOR_ADMINS = "Look after Claude here."


def all_about(*, subject: str) -> str:
    return f"All about the {subject}."
