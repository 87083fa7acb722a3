"""Messages about files of settings that an import cannot read."""

HEAD = """\
# Settings of Threadkeep, by platform, workspace, channel and thread.
# `threadkeep settings import FILE --dry-run` shows what it would change.
"""

THE_FILE = "the file"
FILE_TOO_LARGE = "This file is too large to hold settings."
NO_NAMES = "This is not a settings file: it must contain names and values."
BAD_NAME = "a name in it is empty, too long, or has characters that no name has"
NOT_NAMES_AND_VALUES = "must hold names and values"


def not_yaml(*, where: str, why: str) -> str:
    return f"This settings file is not valid YAML{where}: {why}."


def nothing_changed(*, problems: str) -> str:
    return f"Nothing was changed. {problems}{'' if problems.endswith('?') else '.'}"


def at(*, path: str, problem: str) -> str:
    return f"{path}: {problem}"


def version_must_be(*, version: int) -> str:
    return f"version: must be {version}"


def name_twice(*, name: str) -> str:
    return f"{name} appears twice"


def no_such_platform(*, hint: str) -> str:
    return f"there is no such platform{hint}"


def no_such_id(*, scope: str, example: str) -> str:
    return f"is not the id of a {scope}, such as {example}"


def no_such_setting(*, hint: str) -> str:
    return f"there is no such setting{hint}"


def did_you_mean(*, name: str) -> str:
    return f"; did you mean {name}?"


def not_for_scope(*, scope: str) -> str:
    return f"cannot be set for a {scope}"
