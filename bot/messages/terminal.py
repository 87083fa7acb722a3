"""Messages of a conversation in the terminal."""

from collections.abc import Sequence

from bot.messages import plurals

HELP = """\
Type a question, then Enter; go on in the same thread.

- `/new` starts another thread
- `/threads` lists your threads, `/threads 2` goes back to the second
- `/settings` shows what applies
- `/set prompt channel Be brief.` sets new instructions
- `/model opus`, `/budget day 5` and `/usage` work, too
- `/attach notes.pdf` sends a file with your next question, `/detach` takes it back
- `/edit` opens your editor; Alt-Enter begins a new line
- Ctrl-C stops an answer; `exit` or Ctrl-D quits\
"""
WELCOME = "**Threadkeep.** Ask something; `/help` lists what else you can do."
NEW = "Start another thread"
THREADS = "List your threads, or reopen one"
EDIT = "Write in your editor"
ATTACH = "Send files with the next question"
DETACH = "Send no files with it"
SHOW_HELP = "List the commands"
EXIT = "Quit"
CTRL_D = "Ctrl-D quits."
NEW_THREAD = "This is a new thread."
NO_THREADS = "No threads yet."
ALL_SETTINGS = "`/settings all` lists every setting, `/set` changes one."
GO_BACK = "`/threads` and a number goes back to one."
LIST_FIRST = "Type `/threads` first, then `/threads` and a number of the list."
THREAD, TURNS, LAST = "Thread", "Turns", "Last"
USER = "User"
HOW_TO_ATTACH = 'Name the files: `/attach notes.pdf "my picture.png"`.'
DETACHED = "No file goes with your next question."
WHICH_SETTING = "Name a setting and its value, as in `/set model opus`:"


def no_such_command(*, command: str) -> str:
    return f"There is no `{command}`; `/help` lists the commands."


def nearest_command(*, command: str, nearest: str) -> str:
    return f"There is no `{command}`. Did you mean `{nearest}`?"


def no_such_file(*, path: str) -> str:
    return f"There is no file `{path}`."


def no_readable_file(*, path: str) -> str:
    return f"`{path}` is not a file that you may read."


def too_many_files(*, most: int) -> str:
    return f"At most {most} files go with a question."


def attached(*, names: Sequence[str]) -> str:
    files = ", ".join(f"`{name}`" for name in names)
    return f"With your next question: {files}."


def how_to_set(*, names: Sequence[str]) -> str:
    commands = " or ".join(f"`/set {name} …`" for name in names)
    return f"Change it with {commands}."


def no_such_setting(*, name: str) -> str:
    return f"There is no setting `{name}`; `/set` lists them."


def no_forms(*, name: str) -> str:
    return f"There are no forms in a terminal. Type `/set {name} …` instead."


def instead_of_button(*, label: str, command: str) -> str:
    return f"{label}: `{command}`"


def not_stored(*, error: object) -> str:
    return f"That could not be stored, so it is not answered: {error}"


def not_done(*, error: object) -> str:
    return f"That could not be done: {error}"


def earlier_messages(*, count: int) -> str:
    return f"_{plurals.EARLIER_MESSAGES(count)}_"
