"""`python -m bot`, and the console script `threadkeep`.

Rule: Ctrl-C during the imports, which take up to a second, ends the process quietly.
"""

# The module behind `signal`, which would import other modules first.
import _signal  # type: ignore[import-not-found]
import importlib

from bot.runtime import heap

# Until a command runs, the operating system ends the process, without a traceback. A
# process in the background may have to ignore the signal.
if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)


def start() -> None:
    """Run the command line."""
    heap.grow()
    importlib.import_module("bot.cli.main").main(prog_name="threadkeep")


if __name__ == "__main__":
    start()
