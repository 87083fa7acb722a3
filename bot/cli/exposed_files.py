"""The check of files that others on the machine can read."""

import shlex
from pathlib import Path

from bot.domain.finding import Finding, Grade
from bot.runtime.private_files import exposed

#: The file with the tokens, if they are not in the environment.
DOTENV = Path(".env")

# The files that SQLite and the lock keep beside a database.
_BESIDE = ("-wal", "-shm", ".lock")


def exposures(database: Path, dotenv: Path = DOTENV) -> list[Finding]:
    """Return a note for each group of files that others can read or change, with the
    command that corrects it."""
    found = []
    if exposed(dotenv):
        found.append(_note("Secrets", f"{dotenv}, with the tokens,", "600", dotenv))
    archive = database.with_name("triage.db")
    files = [
        path.with_name(path.name + ending)
        for path in (database, archive)
        for ending in ("", *_BESIDE)
    ]
    if open_files := [file for file in files if exposed(file)]:
        found.append(_note("Files", "what people said", "600", *open_files))
    # The working directory is not ours to change.
    folder = database.parent
    if folder.resolve() != Path.cwd() and exposed(folder):
        text = f"the folder of the database, {folder},"
        found.append(_note("Folder", text, "700", folder))
    return found


def _note(subject: str, what: str, mode: str, *paths: Path) -> Finding:
    command = f"chmod {mode} {shlex.join(map(str, paths))}"
    text = f"{what} can be read by others on this machine: run `{command}`"
    return Finding(subject, Grade.NOTE, text)
