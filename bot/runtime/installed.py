"""The installed version of Threadkeep."""

from functools import cache
from importlib.metadata import version


@cache
def threadkeep_version() -> str:
    """Return the version of Threadkeep. The file that says it lists all of the package,
    and takes milliseconds to read."""
    return version("threadkeep")
