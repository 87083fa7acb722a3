"""Times in a text: each reader's own, and UTC where that is unknown."""

from datetime import timedelta, timezone

from adapters.discord import markup
from adapters.slack import mrkdwn
from bot.text import references

AT = 1795897762.9
TEXT = f"changed {references.time(AT)}, set on {references.day(AT)}"


def test_slack_and_discord_show_a_time_in_the_readers_zone() -> None:
    known: tuple[dict[str, str] | None, ...] = (None, {})
    for names in known:
        assert mrkdwn.format_text(TEXT, names) == (
            "changed <!date^1795897762^{date_short_pretty}, {time}"
            "|28 Nov 2026, 20:29 UTC>, "
            "set on <!date^1795897762^{date_short_pretty}|28 Nov 2026>"
        )
        assert markup.render(TEXT, names) == (
            "changed <t:1795897762:f>, set on <t:1795897762:D>"
        )


def test_elsewhere_it_is_utc_or_the_zone_of_the_machine() -> None:
    assert references.plain_text(TEXT) == (
        "changed 28 Nov 2026, 20:29 UTC, set on 28 Nov 2026"
    )
    east = timezone(timedelta(hours=5), "PKT")
    assert references.plain_text(TEXT, east) == (
        "changed 29 Nov 2026, 01:29 PKT, set on 29 Nov 2026"
    )
    local = references.plain_text(TEXT, None)
    assert "2026" in local
    assert "t:" not in local


def test_in_code_a_time_is_text() -> None:
    code = f"`{references.time(AT)}`"
    assert mrkdwn.format_text(code) == markup.render(code) == "`28 Nov 2026, 20:29 UTC`"


def test_nobody_makes_a_time_by_typing_it() -> None:
    typed = "time:1795897762 <!date^1^{time}|x>"
    assert references.find(typed) == []
    assert "<!date" not in mrkdwn.format_text(typed)
