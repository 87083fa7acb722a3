"""Messages about settings: rights to see and change them, their values, and changes."""

from bot.messages import plurals

UNSURE = "I couldn't check your permissions. Please try again in a minute."
ELSEWHERE = "Sorry, only people in that channel can see this. Please ask me there."
NOT_FOR_OUTSIDERS = (
    "Sorry, guests and people from other organisations can see only the settings and "
    "the cost of their own channel."
)

NO_SUCH_CHANNEL = (
    "I can't find that channel, or you can't see it. If it is private, please add me "
    "to it first."
)


def closed_to_you(*, channel: str) -> str:
    return f"You can't post in {channel}, so you can't have me post there."


def closed_to_us(*, channel: str) -> str:
    return (
        f"I can't post in {channel}. Please add me to it, or allow me to post there, "
        "and try again."
    )


#: The response to a command in a workspace that is not served.
NOT_SERVED = (
    "Sorry, I'm not available here: the operator of this bot chooses the workspaces "
    "and servers in which it answers."
)

OUTSIDERS_SET_NOTHING = (
    "Sorry, guests and people from other organisations cannot change settings here."
)
IN_CHANNEL = "in this channel"
HERE = "here"


def for_all_of(*, place: str) -> str:
    return f"for all of {place}"


def admins_only(*, where: str) -> str:
    return (
        f"Sorry, only admins can change settings {where}. `settings` shows what is set."
    )


AUDIT_FOR_ADMINS = "Sorry, only admins can see who changed settings here."

# Effective settings.
OPERATOR_AUDIENCE = (
    "- **Who may ask at all**: only people whom this bot's operator names"
)
AS_THREAD_BEGAN = "as set when this thread began"
BY_DEFAULT = "by default"
OPERATOR_MOST = ", the most that the operator allows"


def settings_of(*, where: str) -> str:
    return f"**Settings of {where}**"


# The page of settings.
THE_REST = "Everything else is the default."
NO_LIMITS = "No budget, and no limit per person."
EVERYBODY_ASKS = "Everybody may ask."
NO_AUTO_TRIAGE = "Messages are triaged only when somebody asks for it."


def answers_with(*, model: str, effort: str, longest: str) -> str:
    thinking = f" · {effort} effort" if effort else ""
    return f"{model}{thinking} · up to {longest}"


def not_used(*, why: str) -> str:
    return f"_Not used: {why}_"


def set_by(*, person: str) -> str:
    return f"set by {person}"


def set_by_on(*, person: str, day: str) -> str:
    return f"set by {person} on {day}"


def chosen_by_auto(*, why: str) -> str:
    return f"chosen by `auto`: {why}"


def setting_of(*, setting: str, where: str) -> str:
    return f"**{setting}** of {where}"


# Versions of the prompt.
REMOVED = "removed"
CURRENT = "**current**"


def no_prompt(*, where: str) -> str:
    return f"{where} has no prompt of its own yet."


def versions_of(*, where: str) -> str:
    return f"**Versions of the prompt of {where}**"


def lines_changed(*, more: int, less: int) -> str:
    parts = [f"+{more:,}" if more else "", f"−{less:,}" if less else ""]
    return f"{' '.join(filter(None, parts))} {'line' if more + less == 1 else 'lines'}"


def size(*, lines: str, characters: str) -> str:
    return f"{lines} with {characters}"


def too_different(*, old: int, new: int, old_size: str, new_size: str) -> str:
    return (
        f"Versions {old} and {new} are too different to be compared line by line: "
        f"{old_size}, and {new_size}. `prompt show` shows the current one."
    )


def same_text(*, old: int, new: int) -> str:
    return f"Versions {old} and {new} have the same text."


# The audit.
def nothing_changed(*, where: str) -> str:
    return f"Nothing was changed in {where} yet."


def changes_in(*, where: str) -> str:
    return f"**Changes in {where}**"


def refused_in(*, where: str) -> str:
    return f"**Refused in {where}**"


# Changes of a setting.
SET, CLEARED, ROLLED_BACK, IMPORTED = "set", "cleared", "rolled back", "imported"


def changed(*, person: str, action: str, setting: str, before: str, after: str) -> str:
    return f"{person} {action} **{setting}**: {before} → {after}"


def tried(*, person: str, action: str) -> str:
    return f"{person} tried to {action} (not allowed)"


def others_refused(*, count: int) -> str:
    return f"{plurals.MORE_REFUSALS(count)} that hour"


def times_that_hour(*, count: int) -> str:
    return f", {count:,} times that hour"


# Names of refused actions, as stored.
READ_AUDIT = "read the audit"
START_OVER = "start over"
SEE_OTHER_WORKSPACE = "look into another workspace or server"
SEE_OTHER_CHANNEL = "look into another channel"
SEE_BEYOND_CHANNEL = "look beyond their channel"
TRIAGE = "triage"
TRIAGE_CHANNEL = "triage a channel"
ADD_EXAMPLE = "add an example"


def set_option(*, name: str) -> str:
    return f"set {name}"
