"""The responses of commands."""

UNKNOWN = "I don't know that command. `help` lists all commands."
STALE = "This button or form no longer works. `help` shows what does."
CHANNEL_GONE = "That channel no longer exists, or I'm no longer in it."

#: Explains to everybody how to talk to the bot.
HOW_TO_ASK = """\
Mention me with a question (on Discord, `/ask` works, too). I reply in a thread, and \
you can keep talking there. In a direct message, just write.
I remember our threads. If you edit or delete a message, I forget the old version."""
#: Explains which messages are not answered, and how to change that.
HOW_TO_TALK_TO_OTHERS = """\
In my threads I don't answer messages that mention somebody else first, reply to \
somebody else or only say thanks. Mention me with `why` to see why I answered or not, \
or with `stay out` if I should answer only mentions; `come back` undoes that."""
#: Introduces the list of commands.
HOW_TO_COMMAND = (
    "Commands (use `/claude`, or mention me with one as the whole message; in my "
    "threads `stop` needs no mention):"
)

#: The effect of a changed setting on existing threads.
THREADS_KEEP = "Existing threads keep the old setting; new ones use this."
THREADS_CHANGE = "Existing threads change, too, and a note there says so."

RENEWED = "Starting over. I won't use anything above this line."
NOTHING_HERE = "We haven't talked here yet. Ask me something."
NOT_YOURS_TO_RENEW = (
    "Other people asked in this thread, too. One of them who belongs to this "
    "workspace, or an admin, can start over."
)
NOT_WHILE_OTHERS_WAIT = (
    "I'm still answering somebody else here. Please wait until that is done, or ask "
    "them to stop it."
)
NOT_TO_ASK = "Sorry, only people who can use me here can start over."
STOPPING = "Stopping."
REPEATING = "Answering again."
NOTHING_RUNS = "I'm not answering anything right now."
NOTHING_TO_REPEAT = "There is no answer here to retry."
NOT_YET_COMPLETE = "That answer is still being written. Retry it when it has ended."
ENDED = "That answer is complete already."
NOT_LAST = "Only the last answer in a thread can be retried or continued."
NO_ANSWER = "I no longer have that answer."
NOT_YOURS = "Only the person who asked, or an admin, can do that."
QUESTION_GONE = "I no longer have that question. Please ask it again."
QUESTION_NOT_LAST = (
    "I can only answer the last question in a thread again. Please send this one as a "
    "new message."
)
ANSWERED_AGAIN = "I've already answered that question again."
NOTHING_LEFT = "That answer is complete. Ask a follow-up instead."

NO_VERSION = "There is no such version; `prompt history` lists all versions."
DRAFT_GONE = "That draft no longer exists. Please write it again."
NO_OPTION = "This setting no longer exists."
FILE_OR_TEXT = "Please give the prompt either as a text or as a file, not both."

# Saving settings.
CHANGE_GONE = "That change can no longer be undone. `audit` lists all changes."
NOT_UNDONE = "**Not undone:** this was changed since."
NO_CHANGE = "No change: it was already set to that."
NOT_SAVED = "**Not saved:** this was changed while you were writing."
THEIRS_TO_YOURS = "From their version to yours:"
YOURS = "yours"
WHICH_VERSION = "Your draft is kept. Which version do you want?"
NOTHING_CHANGED = "Nothing was changed."

# Forms of settings.
EMPTY_IS_NO_LIMIT = "Leave empty for no limit here."
EMPTY_IS_WIDER = "Leave empty to use the wider setting."
USD_A_DAY = "$ per day (UTC)."
USD_A_MONTH = "$ per month (UTC)."
USD_AN_HOUR = "$ per hour."
ONE_PLACE_ABOUT = "Nothing else changes"
EVERYWHERE_ABOUT = "The whole workspace or server"


def form_for(*, where: str) -> str:
    return f"For {where}."


def form_for_chosen(*, where: str) -> str:
    return f"This shows what {where} has now. Choose below where your change applies."


def spent_so_far(*, today: str, month: str) -> str:
    return f"Spent: {today} today, {month} this month."


def budget_counts_as_well(*, whose: str, amount: str, period: str) -> str:
    return f"{whose} own budget of {amount} {period} counts as well."


def limit_counts_as_well(*, setting: str, where: str, value: str) -> str:
    return f"{setting} of {where}, {value}, counts as well."


def empty_is(*, value: str) -> str:
    return f"Leave empty to use the wider setting: {value}."


def did_you_mean(*, command: str) -> str:
    return f"I don't know that command. Did you mean `{command}`?"


def saved_for(*, where: str) -> str:
    return f"Saved for {where}:"


def undone_for(*, where: str) -> str:
    return f"Undone for {where}:"


def rolled_back(*, where: str, old: int, new: int | str | None) -> str:
    return f"Rolled back: the prompt of {where} is that of version {old}, as {new}."


def is_current(*, number: int) -> str:
    return f"Version {number} is already the current one."


def earlier_versions(*, count: int) -> str:
    return f"… and {count:,} earlier ones."


# Copying settings from another channel.
COPY_TO_CHANNEL = "Settings can be copied to a channel only."
COPY_FROM_ANOTHER = "Please choose another channel to copy from."
COPY_CHANGED = "The settings have changed meanwhile. Nothing is copied yet."
COPY_KEEPS = "What is set only here stays as it is. Nothing is copied yet."


def copy_from(*, source: str, target: str) -> str:
    return f"**Copy from {source} to {target}**"


def nothing_to_copy(*, source: str, target: str) -> str:
    return f"{source} has no settings of its own that {target} does not have."


def copy_left_out(*, settings: str) -> str:
    return f"Not copied, because you can't see or change it: {settings}."


# The prompt and its trial.
ASK_A_QUESTION = "Please write a question to try it on."
TRIAL_NOTE = "Only you see the answer. It costs what any answer costs."
TRIAL_HEAD = "**A trial: only you see this, and nothing is saved yet.**"
UNKNOWN_COST = "_The price is unknown._"


def trial_cost(*, amount: str) -> str:
    return f"_This cost {amount}._"


def prompt_of(*, where: str) -> str:
    return f"**The prompt of {where}**"


#: Above the menu of channels on the page of a workspace.
SET_UP_HERE = "Choose a channel to see or change its settings."


def more_channels(*, count: str) -> str:
    return f"{count} with settings of their own."
