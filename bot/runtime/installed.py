"""The installed version of Threadkeep."""

from functools import cache
from importlib.metadata import version


@cache
def threadkeep_version() -> str:
    """Return the version of Threadkeep.

    The result is cached, since reading the package's metadata takes milliseconds.
    """
    return version("threadkeep")
