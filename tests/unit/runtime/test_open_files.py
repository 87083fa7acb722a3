"""A process takes as many connections as the system gives it."""

import resource

from bot.runtime.open_files import FILES, allow_connections


def test_a_process_may_have_more_connections_than_is_usual() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1_024, before[1]))
    try:
        allow_connections()
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        assert hard == before[1]
        assert soft == FILES or soft == hard < FILES
        # An operator's own limit stays.
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        allow_connections()
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
