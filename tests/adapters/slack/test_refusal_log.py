"""Log lines about refusals that strangers cause."""

import logging

import pytest

from adapters.slack.refusal_log import MOST_REASONS, OTHERS, REPEAT, RefusalLog

log = logging.getLogger(__name__)


def test_reasons_of_an_earlier_hour_make_room(caplog: pytest.LogCaptureFixture) -> None:
    now = 0.0
    refused = RefusalLog(log, "refused", lambda: now)
    for number in range(MOST_REASONS):
        refused.note(f"forged {number}")
        refused.note(f"forged {number}")
    refused.note("real")
    assert caplog.messages[-1].endswith(OTHERS)
    now = REPEAT
    refused.note("real")
    assert caplog.messages[-1].endswith("real")
