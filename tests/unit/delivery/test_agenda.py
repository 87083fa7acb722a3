"""The agenda returns each group when it is due."""

from bot.delivery.agenda import MOST_ENTRIES, Agenda, Group

NEVER = float("inf")


def waiting() -> Group:
    """Return a group in which a reply waits."""
    return Group(waiting=1)


def test_takes_each_group_once_and_only_when_it_is_due() -> None:
    agenda, soon, late = Agenda(), waiting(), waiting()
    agenda.put(late, 5.0)
    agenda.put(soon, 3.0)
    agenda.put(soon, 1.0)
    agenda.put(soon, 1.0)
    assert agenda.soonest() == 1.0
    assert agenda.take(4.0) == [soon]
    assert agenda.take(4.0) == []
    assert agenda.soonest() == 5.0
    assert agenda.take(5.0) == [late]
    assert agenda.soonest() == NEVER


def test_a_group_without_requests_is_not_looked_at_again() -> None:
    agenda, idle, busy = Agenda(), Group(), waiting()
    agenda.put(idle, 1.0)
    agenda.look_again(idle)
    agenda.look_again(busy)
    assert agenda.take(2.0) == [busy]


def test_drops_outdated_entries_once_there_are_many() -> None:
    agenda, first, second = Agenda(), waiting(), waiting()
    agenda.put(first, 1.0)
    for nth in range(10 * MOST_ENTRIES):
        agenda.put(second, 2.0 + nth)
        assert len(agenda._entries) <= MOST_ENTRIES
    assert agenda.take(NEVER) == [first, second]
