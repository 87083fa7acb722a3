"""Checks for files that others on the machine can read."""

import shlex
from pathlib import Path

from bot.domain.finding import Finding, Grade
from bot.messages import check as messages
from bot.runtime.private_files import is_exposed

#: The file with the tokens, if they are not in the environment.
DOTENV = Path(".env")

# The files that SQLite and the lock keep beside a database.
_BESIDE = ("-wal", "-shm", ".lock")


def exposures(database: Path, dotenv: Path = DOTENV) -> list[Finding]:
    """Return a note for each group of files that others can read or change.

    Each note has the command that corrects the permissions.
    """
    found = []
    dotenv = dotenv.absolute()
    if is_exposed(dotenv):
        found.append(
            _note(messages.SECRETS, messages.tokens_file(path=dotenv), "600", dotenv)
        )
    archive = database.with_name("triage.db")
    files = [
        path.with_name(path.name + ending)
        for path in (database, archive)
        for ending in ("", *_BESIDE)
    ]
    # The terminal's history contains people's questions.
    files.append(database.with_name("history"))
    # Skip directories, which may have such a name by mistake: mode 600 would make them
    # unusable.
    if open_files := [file for file in files if is_exposed(file) and not file.is_dir()]:
        found.append(
            _note(messages.FILES, messages.WHAT_PEOPLE_SAID, "600", *open_files)
        )
    # The working directory is not ours, so do not suggest to change it.
    folder = database.parent
    if folder.is_dir() and folder.resolve() != Path.cwd() and is_exposed(folder):
        text = messages.database_folder(path=folder)
        found.append(_note(messages.FOLDER, text, "700", folder))
    return found


def _note(subject: str, what: str, mode: str, *paths: Path) -> Finding:
    command = f"chmod {mode} {shlex.join(map(str, paths))}"
    text = messages.readable_by_others(what=what, command=command)
    return Finding(subject, Grade.NOTE, text)
