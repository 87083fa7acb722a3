"""A thread keeps the kind of tools for the web that it began with."""

from bot.claude.catalog import ModelAvailability
from bot.conversation.model_tools import PLAIN, kind
from bot.settings.effective import FILTERING

ON = {"model": "claude-sonnet-5-5", "web_search": "on", "web_fetch": "off"}
OFF = ON | {"web_search": "off"}
OTHER = ON | {"model": "claude-opus-5-5"}
ABLE = ModelAvailability(code={"claude-sonnet-5-5": True, "claude-opus-5-5": False})
UNABLE = ModelAvailability(code={"claude-sonnet-5-5": False})


def test_the_kind_of_tools_changes_with_the_model_and_for_nothing_else() -> None:
    for values, before, kept, survey, expected in (
        # At its beginning, the newest that is known to work.
        (ON, {}, "", ABLE, FILTERING),
        (ON | {"model": "claude-sonnet-5-5-20260928"}, {}, "", ABLE, FILTERING),
        (OFF | {"web_fetch": "on"}, {}, "", ABLE, FILTERING),
        (ON, {}, "", UNABLE, PLAIN),
        (ON, {}, "", ModelAvailability(), PLAIN),
        (ON, {}, "", None, PLAIN),
        (OFF, {}, "", ABLE, ""),
        # Later, the same: after a start without the list of models, or with it.
        (ON, ON, FILTERING, None, FILTERING),
        (ON, ON, PLAIN, ABLE, PLAIN),
        (ON | {"web_fetch": "on"}, ON, PLAIN, ABLE, PLAIN),
        # Another model, tools that are turned off and on, a model that lost it.
        (OTHER, ON, FILTERING, None, PLAIN),
        (ON, OTHER, PLAIN, ABLE, FILTERING),
        (OFF, ON, FILTERING, ABLE, ""),
        (ON, ON, FILTERING, UNABLE, PLAIN),
    ):
        found = kind(values, before, kept, survey)
        assert found == expected, (values, before, kept, survey)
