"""Cards in a native stream: their texts and their number."""

from adapters.slack.task_cards import CHARS, MOST, TaskCards
from bot.domain.completion import Activity


def titles(cards: TaskCards) -> list[str]:
    return [each["title"] for each in cards.waiting]


def test_a_card_says_what_was_done() -> None:
    cards = TaskCards()
    for activity in (
        *(Activity("search"), Activity("search"), Activity("fetch", "a.example")),
        *(Activity("fetch"), Activity("ask", "Linear"), Activity("ask")),
        Activity("search"),
    ):
        cards.add(activity)
    assert titles(cards) == [
        *("Searched the web", "Read a.example", "Read a page"),
        *("Asked Linear", "Asked a server", "Searched the web"),
    ]
    assert {each["status"] for each in cards.waiting} == {"complete"}
    assert len({each["id"] for each in cards.waiting}) == 6
    cards.sent(5)
    assert titles(cards) == ["Searched the web"]


def test_cards_are_bounded() -> None:
    cards = TaskCards()
    cards.add(Activity("ask", "x" * 1_000))
    for number in range(100):
        cards.add(Activity("fetch", f"{number}.example"))
    assert len(cards.waiting) == MOST
    assert max(map(len, titles(cards))) == CHARS
