"""Values of options on the command line."""

import pytest

from bot.cli.options import AmountType
from bot.errors import ConfigError


@pytest.mark.parametrize("written", ["5,50", "$5.50", "5.5", "5.50 USD"])
def test_an_amount_is_written_as_in_a_setting(written: str) -> None:
    assert AmountType().convert(written, None, None) == 5.5


@pytest.mark.parametrize("written", ["0", "nan", "-1", "inf", "1.000", "five"])
def test_another_amount_is_refused(written: str) -> None:
    with pytest.raises(ConfigError):
        AmountType().convert(written, None, None)
