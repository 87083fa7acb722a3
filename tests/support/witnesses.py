"""Returns what people see on each platform, which `invariants` compares with the
database."""

from collections.abc import Iterator, Sequence

from adapters.discord.adapter import LIMITS as DISCORD_LIMITS
from adapters.slack.adapter import LIMITS as SLACK_LIMITS
from adapters.slack.reply_blocks import EVENT_TYPE
from bot.messages.answers import BUSY, CROWDED
from bot.messages.first_contact import GREETING
from tests.emulators.discord.emulator import DiscordEmulator
from tests.emulators.discord.interactions import Asked
from tests.emulators.discord.people import Seen
from tests.emulators.slack.blocks import Json
from tests.emulators.slack.emulator import SlackEmulator
from tests.emulators.slack.socketmode import Delivery
from tests.emulators.slack.world import Message
from tests.support.invariants import Said, Shown, Turn

# The types of responses to a command, and to a command on a message (platform facts
# B5).
ANSWERS = (20, 23)

# Discord bans an address that sends 10,000 invalid requests in ten minutes (platform
# facts B4). No plot here needs more than a few.
MOST_INVALID = 3

#: Texts of the bot besides answers.
BESIDE = (BUSY, CROWDED, GREETING)


class SlackWitness:
    """What people see in Slack."""

    platform = "slack"
    limits = SLACK_LIMITS

    def __init__(self, slack: SlackEmulator) -> None:
        self.slack = slack

    def said(self) -> Iterator[Said]:
        world = self.slack.world
        for message in self._messages():
            root = world.messages[message.channel].get(message.root, message)
            private = world.channels[message.channel].kind == "im"
            called = any(self.slack.mention in each.text for each in (message, root))
            if not world.users[message.user].bot and (private or called):
                told = self._deliveries(message)
                acked = any(each.acked for each in told)
                late = any(len(each.attempts) > 1 for each in told)
                text = f"{message.text} in {message.root}"
                yield Said(message.channel, message.ts, text, acked, late)

    def reply(self, turn: Turn) -> list[Shown]:
        seen = self.slack.thread(turn.channel, turn.thread)
        payloads = [(_payload(each.metadata), each) for each in seen]
        ours = [
            Shown(p["part"], s.ts, s.text, [(v.at, v.text) for v in s.versions])
            for p, s in payloads
            if p.get("turn") == turn.key
        ]
        return sorted(ours, key=lambda each: (each.part, each.message))

    def files(self, turn: Turn) -> dict[str, dict[str, bytes]]:
        return {
            file["id"]: {file["name"]: self.slack.files.content(file["id"])}
            for message in self._messages()
            for file in message.files
            if message.user == self.slack.bot_user
            and (message.channel, message.thread_ts) == (turn.channel, turn.thread)
        }

    def is_gone(self, turn: Turn) -> bool:
        return False

    def final(self, text: str) -> str:
        return text

    def troubles(self, turns: Sequence[Turn]) -> Iterator[str]:
        """I6: the bot has no other messages, and nobody was pinged."""
        bot = self.slack.bot_user
        known = {(turn.channel, turn.thread, turn.key) for turn in turns}
        answered = {(turn.channel, each) for turn in turns for each in turn.answers}
        for message in self._messages():
            # `files` covers the files of answers.
            if message.user != bot or (message.files and message.thread_ts):
                continue
            key = _payload(message.metadata).get("turn")
            if (message.channel, message.thread_ts, key) not in known:
                yield f"{message.ts} belongs to no turn of its thread"
            if (message.channel, message.ts) in answered:
                yield f"the bot answers itself in {message.ts}"
        called = {f"@{turn.calls}" for turn in turns}
        for ping in self.slack.pings:
            if ping.target not in called:
                yield f"{ping.ts} pings {ping.target}"
        for channel, thread, _ in known:
            if status := self.slack.status(channel, thread):
                yield f"the thread {thread} still {status}"

    def _messages(self) -> list[Message]:
        messages = self.slack.world.messages.values()
        return [message for each in messages for message in each.values()]

    def _deliveries(self, message: Message) -> list[Delivery]:
        """Return the deliveries of `message` to the app."""
        return [
            each
            for each in self.slack.deliveries
            if each.event.get("channel") == message.channel
            and each.event.get("ts") == message.ts
        ]


def _payload(metadata: Json | None) -> Json:
    if not metadata or metadata["event_type"] != EVENT_TYPE:
        return {}
    payload: Json = metadata["event_payload"]
    return payload


class DiscordWitness:
    """What people see in Discord."""

    platform = "discord"
    limits = DISCORD_LIMITS

    def __init__(self, discord: DiscordEmulator) -> None:
        self.discord = discord
        #: The channels and direct messages where people talk.
        self.channels: list[str] = []
        self.direct: list[str] = []
        #: How many requests may be invalid, and whether messages may have arrived late.
        self.most_invalid = MOST_INVALID
        self.may_be_late = False
        #: Questions of people by command.
        self.commands: list[Asked] = []

    def said(self) -> Iterator[Said]:
        for channel, place in self.places():
            called = place in self.direct or self._was_called(place)
            for seen in self.discord.messages(place):
                mentioned = self.discord.mention in seen.text
                if not seen.bot and (called or mentioned):
                    late = self.may_be_late
                    yield Said(channel, seen.id, seen.text, late=late)
        channels = {place: channel for channel, place in self.places()}
        for asked in self.commands:
            yield Said(channels[asked.channel], asked.id, "a command")

    def reply(self, turn: Turn) -> list[Shown]:
        there: dict[str | None, Seen] = {
            each.id: each for each in self.discord.messages(turn.thread)
        }
        for _, message, _ in turn.replies:
            # The answer is in the channel itself if no thread could be made.
            if message and message not in there:
                there |= self._in_channel(turn, message)
        ours = [(part, there[m]) for part, m, _ in turn.replies if m in there]
        return [
            Shown(part, s.id, s.text, [(v.at, v.text) for v in s.versions])
            for part, s in ours
        ]

    def _in_channel(self, turn: Turn, message: str) -> dict[str | None, Seen]:
        try:
            seen = self.discord.message(message)
        except LookupError:
            return {}
        return {message: seen} if seen.channel == turn.channel else {}

    def files(self, turn: Turn) -> dict[str, dict[str, bytes]]:
        return {
            each.id: self.discord.attached(each.channel, each.id)
            for each in self.discord.messages(turn.thread)
            if each.bot and each.files
        }

    def is_gone(self, turn: Turn) -> bool:
        if turn.thread in (*self.channels, *self.direct):
            return False
        try:
            self.discord.thread_of(turn.thread)
        except (LookupError, ValueError):
            return not self.reply(turn)
        return False

    def final(self, text: str) -> str:
        return text.strip("\n")

    def troubles(self, turns: Sequence[Turn]) -> Iterator[str]:
        """I6: the bot has no other messages, and nobody was pinged."""
        threads = {turn.thread for turn in turns}
        replies = {
            (place, message)
            for turn in turns
            for place in (turn.channel, turn.thread)
            for _, message, _ in turn.replies
        }
        answered = {each for turn in turns for each in turn.answers}
        for channel, place in self.places():
            there = self.discord.messages(place)
            seen = [each for each in there if each.bot and each.text not in BESIDE]
            # `files` covers the files of answers.
            seen = [each for each in seen if not each.files or place not in threads]
            for each in seen:
                card = place == channel and each.id in threads
                told = each.type in ANSWERS or each.ephemeral_for
                if not (card or (place, each.id) in replies or told):
                    yield f"{each.id} in {place} belongs to no turn: {each.text[:60]!r}"
                if each.thinking:
                    yield f"{each.id} in {place} still is thinking"
                if each.id in answered:
                    yield f"the bot answers itself in {each.id}"
            answers = [each for each in seen if each.type in ANSWERS]
            cards = [each for each in answers if not each.ephemeral_for]
            if len(cards) > sum(each.channel == place for each in self.commands):
                yield f"a command was answered twice in {place}"
            if place not in (channel, *threads):
                yield f"{place} is a thread without a turn"
        for ping in self.discord.pings:
            yield f"{ping.message} pings {ping.what}"
        if (count := self.discord.invalid_requests) > self.most_invalid:
            yield f"{count} requests were invalid"

    def places(self) -> Iterator[tuple[str, str]]:
        """Yield the channel and the id of every place where people talk."""
        for channel in (*self.channels, *self.direct):
            yield channel, channel
            for thread in self.discord.threads(channel):
                yield channel, thread

    def _was_called(self, thread: str) -> bool:
        """Return whether the first message of a thread addressed the bot."""
        if thread in self.channels:
            return False
        try:
            root = self.discord.message(thread)
        except LookupError:
            # Only questions are ever deleted in these tests.
            return True
        return root.bot or self.discord.mention in root.text
