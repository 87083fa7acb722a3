"""Errors that end a command."""

import errno
import os

import pytest

from bot.cli.environment import BROKEN, MISTAKE, Commands, run


def failing(number: int) -> OSError:
    return OSError(number, os.strerror(number))


@pytest.mark.parametrize(
    ("number", "status", "told"),
    [
        (errno.ENOSPC, MISTAKE, "written completely: No space left on device."),
        (errno.EDQUOT, MISTAKE, "written completely: Disk quota exceeded."),
        (errno.EBADF, BROKEN, "stopped by an internal error at OSError"),
    ],
)
def test_a_full_disk_below_the_output_is_one_sentence(
    number: int, status: int, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async def command() -> int:
        raise failing(number)

    assert run(command()) == status
    assert told in capsys.readouterr().err


def test_so_it_is_for_commands_without_an_event_loop(
    capsys: pytest.CaptureFixture[str],
) -> None:
    group = Commands()

    @group.command
    def print_it() -> None:
        raise failing(errno.ENOSPC)

    with pytest.raises(SystemExit) as ended:
        group.main(["print-it"])
    assert ended.value.code == MISTAKE
    assert "No space left on device." in capsys.readouterr().err
