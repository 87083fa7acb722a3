"""The memory of a reply in progress is bounded."""

import dis

from bot.delivery.reply import StreamedReply

# With one more, each object gets a dictionary of its own, a kilobyte larger.
MOST_SHARED = 29


def test_replies_share_the_names_of_their_attributes() -> None:
    made = dis.get_instructions(StreamedReply.__init__)
    names = {each.argval for each in made if each.opname == "STORE_ATTR"}
    assert "text" in names
    assert len(names) <= MOST_SHARED
