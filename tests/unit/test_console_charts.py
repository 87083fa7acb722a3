"""The charts of the console: what they show, whatever the numbers and names."""

import xml.etree.ElementTree as xml

from hypothesis import given
from hypothesis import strategies as st

from adapters.web.console_charts import Bar, bars, meter
from adapters.web.console_values import age, day_bars
from bot.domain.completion import Usage
from bot.domain.reports import UsageRow

#: 26 November 2026, noon.
NOON = 1_795_694_400.0
DAY = 86_400.0
AMOUNTS = st.just(0.0) | st.floats(1e-6, 1e7)


@given(st.lists(AMOUNTS, max_size=60))
def test_bars_stay_within_their_chart_and_keep_their_order(
    amounts: list[float],
) -> None:
    found = [Bar(str(n), each, f"{each}") for n, each in enumerate(amounts)]
    chart = xml.fromstring(str(bars("Cost", found)))
    _, _, wide, high = map(float, chart.attrib["viewBox"].split())
    columns = chart.findall("g")
    assert [each.findtext("title") for each in columns] == [b.title for b in found]
    for column, bar in zip(columns, found, strict=True):
        hit = column.find("rect")
        assert hit is not None
        assert 0 <= float(hit.attrib["x"]) <= wide
        assert float(hit.attrib["y"]) + float(hit.attrib["height"]) <= high
        assert (column.find("path") is not None) == (bar.value > 0)
    labels = [each.text or "" for each in chart.iter("text")]
    assert all(labels)
    if found:
        assert found[-1].label in labels


def test_the_highest_bar_is_the_highest() -> None:
    chart = xml.fromstring(str(bars("Cost", [Bar("a", 3.0, ""), Bar("b", 1.5, "")])))
    paths = [path.attrib["d"] for path in chart.iter("path")]
    heights = [float(each.split("v")[1].split("q")[0]) for each in paths]
    assert heights[0] < heights[1] < 0


#: What XML can hold at all.
PRINTABLE = st.text(st.characters(min_codepoint=32, exclude_categories=["Cs", "Cn"]))


@given(PRINTABLE)
def test_names_and_titles_are_text_whatever_they_hold(text: str) -> None:
    for start in ("", '"><script>', "</title>"):
        name = start + text
        chart = xml.fromstring(str(bars(name, [Bar(name, 1.0, name)])))
        assert chart.attrib["aria-label"] == name
        assert chart.findtext("g/title") == name
        assert chart.find(".//script") is None
        assert xml.fromstring(str(meter(name, 0.5))).attrib["aria-label"] == name


def test_a_meter_is_never_longer_than_its_ground() -> None:
    for share in (-1.0, 0.0, 0.5, 1.0, 7.0):
        drawn = xml.fromstring(str(meter("used", share, mark=share)))
        ground, filled, mark = drawn.findall("rect")
        assert float(filled.attrib["width"]) <= float(ground.attrib["width"])
        assert 0 <= float(mark.attrib["x"]) <= 99
    assert 'class="over"' in meter("used", 1.0)


def row(day: str, cost: float) -> UsageRow:
    return UsageRow((day,), ("",), ("",), 1, 1, Usage(), cost, 0.0)


def test_a_day_without_usage_has_its_place() -> None:
    found = day_bars([row("2026-11-24", 1.0)], NOON - 3 * DAY, NOON)
    assert [(each.label, each.value) for each in found] == [
        ("11-23", 0.0),
        ("11-24", 1.0),
        ("11-25", 0.0),
        ("11-26", 0.0),
    ]
    weeks = day_bars([row("2026-11-24", 1.0)], NOON - 365 * DAY, NOON)
    assert len(weeks) == 53
    assert sum(each.value for each in weeks) == 1.0


def test_an_age_has_one_unit() -> None:
    assert [age(s) for s in (-3.0, 59.0, 61.0, 7_300.0, 200_000.0)] == [
        *("0 s", "59 s", "1 min", "2 h", "2 days")
    ]
