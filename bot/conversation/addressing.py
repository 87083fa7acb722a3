"""Decides which messages the bot answers, and records the reason. Pure.

An adapter states facts about a message (`bot.domain.message`), the store states facts
about its thread, and the settings state the admins' choices. The decision for every
platform is made here. A verdict carries the rule that applied, as a word and its
subject, so that `explanation` can give the reason later.
"""

import enum
from dataclasses import dataclass

from bot.domain.message import (
    Decision,
    Disposition,
    Mark,
    MarkKind,
    Message,
    ThreadFacts,
    Verdict,
)
from bot.domain.scope import Scope, ScopeLevel
from bot.domain.setting import Change
from bot.messages import addressing as said
from bot.settings.effective import EffectiveSettings
from bot.settings.follow import ALL, MENTION, SMART
from bot.text import references, set_phrases, stop_phrases
from bot.ui.formatting import here

# From this many automated messages on, a thread counts as bots answering each other.
MOST_AUTOMATED = 20

#: The word after a mention that asks for the rule; "why?" is a question to Claude.
WHY = "why"


class Rule(enum.Enum):
    """The rules, each by the word that is stored for it."""

    ADDRESSED = "addressed"
    FOLLOWS_UP = "follows-up"
    FOLLOWS_UP_ALL = "follows-up-all"
    OTHERS_FIRST = "others-first"
    ANSWERS_OTHER = "answers-other"
    THANKS = "thanks"
    EMOJI = "emoji"
    SENT_AWAY = "sent-away"
    ONLY_MENTIONS = "only-mentions"
    QUIET = "quiet"
    NOT_OURS = "not-ours"
    PROGRAM = "program"
    PROGRAM_ANSWERED = "program-answered"
    PROGRAMS = "programs"
    STALE = "stale"
    #: The message is an instruction to the bot. Nobody asks why it was not answered.
    INSTRUCTION = "instruction"
    ECHO = "echo"
    UNKNOWN_THREAD = "unknown-thread"
    MENTION_REMOVED = "mention-removed"


class Instruction(enum.Enum):
    """Instructions about the bot's part in a thread."""

    STAY_OUT = "stay out"
    COME_BACK = "come back"
    WHY = "why"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class EngagementSettings:
    """The settings that decide when the bot answers in a thread."""

    #: The messages in the bot's own threads that are answered although they do not
    #: address it: a value of the option `follow`.
    follow: str = SMART
    #: The level at which `follow` was set: "thread", "channel", "workspace" or
    #: "operator".
    follow_level: str = ScopeLevel.OPERATOR.value
    #: The person who set `follow` at that level: a platform's id, or "operator".
    follow_by: str = ""
    #: Whether the bot answers only when it is addressed.
    quiet: bool = False
    #: Whether other programs may address the bot.
    bots: bool = False
    #: Whether the thread is direct messages, in which nobody else takes part.
    direct: bool = False

    @classmethod
    def of(cls, policy: EffectiveSettings, *, direct: bool) -> "EngagementSettings":
        """Return the values of `policy`, the settings that apply in a thread."""
        follow = policy.applied["follow"]
        return cls(
            follow=follow.value,
            follow_level=follow.place.level.value,
            follow_by=follow.who,
            quiet=policy.on("quiet"),
            bots=policy.on("bots"),
            direct=direct,
        )

    @property
    def in_thread(self) -> bool:
        """True if `follow` is set for the thread itself."""
        return self.follow_level == ScopeLevel.THREAD.value

    @property
    def adopted(self) -> bool:
        """True if the thread counts as the bot's own without having begun with a
        mention."""
        return self.in_thread and self.follow != MENTION


PLAIN = EngagementSettings()


def judge(
    message: Message, thread: ThreadFacts | None, engagement: EngagementSettings = PLAIN
) -> Verdict:
    """Return what to do with `message`; `thread` is None if the bot was never in it.

    Automated messages are answered only where the settings allow it, and only while
    there are few of them: two bots that answer each other would never stop. They are
    always stored, since a thread is often about an alert.
    """
    if message.echo:
        return _ignore(Rule.ECHO)
    if message.automated:
        return _judge_program(message, thread, engagement)
    own = thread is not None and (thread.follows or engagement.adopted)
    asked = instruction(message, engagement)
    if asked is Instruction.STOP:
        if message.addressed or (own and not _only_mentions(engagement)):
            return _obey(asked, message, engagement)
    elif asked and (message.addressed or own or _was_sent_away(engagement)):
        return _obey(asked, message, engagement)
    if message.addressed:
        # A reply to the bot may be no more than thanks.
        reply = message.answers is not None and message.answers.kind is MarkKind.BOT
        if thread is None or not reply or _mentions_bot(message) or engagement.direct:
            return _answer(Rule.ADDRESSED)
        closing = _closing(message) if engagement.follow == SMART else None
        return _keep(closing) if closing else _answer(Rule.ADDRESSED)
    if thread is None:
        return _ignore(Rule.UNKNOWN_THREAD)
    return _judge_follow_up(message, engagement, own=thread.follows)


def judge_stale(
    message: Message, thread: ThreadFacts | None, engagement: EngagementSettings = PLAIN
) -> Verdict:
    """Return what to do with `message`, which is too old to be answered."""
    verdict = judge(message, thread, engagement)
    if verdict.disposition is Disposition.IGNORE or thread is None:
        return _ignore(Rule.STALE)
    return _keep(Rule.STALE)


def judge_edited(
    message: Message, thread: ThreadFacts | None, engagement: EngagementSettings = PLAIN
) -> Verdict:
    """Return what to do with `message`, an edited question not yet answered."""
    verdict = judge(message, thread, engagement)
    if verdict.disposition is Disposition.ANSWER:
        return verdict
    return _keep(Rule.MENTION_REMOVED)


def instruction(
    message: Message, engagement: EngagementSettings = PLAIN
) -> Instruction | None:
    """Return the instruction that the whole of `message` is, or None.

    The thread decides whether the instruction is meant for the bot.
    """
    if message.automated or message.echo or message.files or engagement.direct:
        return None
    mentions = _mentions_bot(message)
    if _others(message) or (_answered_author(message) and not mentions):
        return None
    text = _words(message)
    if mentions and text.strip().lower() == WHY:
        return Instruction.WHY
    if stop_phrases.is_stop(text):
        return Instruction.STOP
    if set_phrases.is_stay_out(text):
        return Instruction.STAY_OUT
    return Instruction.COME_BACK if set_phrases.is_come_back(text) else None


def explanation(
    decision: Decision | None, platform: str, *, pointed: bool = False
) -> str:
    """Return the sentences that say why a message on `platform` was answered or not.

    `pointed` says that somebody pointed at the message; otherwise it is its author's
    last one. `decision` is None if nothing was decided about the message.
    """
    word, _, about = decision.rule.partition(" ") if decision else ("", "", "")
    sentence = _SENTENCES.get(word)
    if decision is None or sentence is None:
        return said.NOTHING_DECIDED
    if decision.answered:
        opening = said.ANSWERED_THAT if pointed else said.ANSWERED
    else:
        opening = said.NOT_ANSWERED_THAT if pointed else said.NOT_ANSWERED
    head = opening.format(references.user(decision.author))
    text = f"{head} {sentence.format(_name_subject(about, platform))}"
    if decision.answered or word in (Rule.PROGRAM.value, Rule.PROGRAMS.value):
        return text
    return f"{text} {said.MENTION_ME}"


_BY_RULE = {
    Rule.ADDRESSED: said.IT_MENTIONS_ME,
    Rule.FOLLOWS_UP: said.IT_FOLLOWS_UP,
    Rule.FOLLOWS_UP_ALL: said.IT_FOLLOWS_UP_ALL,
    Rule.OTHERS_FIRST: said.IT_MENTIONS_OTHERS_FIRST,
    Rule.ANSWERS_OTHER: said.IT_ANSWERS_SOMEBODY,
    Rule.THANKS: said.IT_IS_THANKS,
    Rule.EMOJI: said.IT_IS_EMOJI,
    Rule.SENT_AWAY: said.SENT_AWAY,
    Rule.ONLY_MENTIONS: said.ONLY_MENTIONS,
    Rule.QUIET: said.QUIET,
    Rule.NOT_OURS: said.NOT_MY_THREAD,
    Rule.PROGRAM: said.OF_A_PROGRAM,
    Rule.PROGRAM_ANSWERED: said.OF_A_PROGRAM_ANSWERED,
    Rule.PROGRAMS: said.OF_TOO_MANY_PROGRAMS,
    Rule.STALE: said.TOO_OLD,
    Rule.MENTION_REMOVED: said.MENTION_REMOVED,
}
_SENTENCES = {rule.value: sentence for rule, sentence in _BY_RULE.items()}


def _name_subject(about: str, platform: str) -> str:
    """Return the name of the subject of a rule, as a reference to people."""
    kind, _, id = about.partition(":")
    if kind == MarkKind.EVERYONE.value:
        return said.EVERYBODY
    if kind == MarkKind.GROUP.value and id:
        return references.group(id)
    if kind == MarkKind.PERSON.value:
        return references.user(id) if id else said.SOMEBODY_ELSE
    return here(ScopeLevel(kind), platform) if kind else ""


def _judge_program(
    message: Message, thread: ThreadFacts | None, engagement: EngagementSettings
) -> Verdict:
    if message.addressed and engagement.bots:
        if thread is None or thread.automated < MOST_AUTOMATED:
            return _answer(Rule.PROGRAM_ANSWERED)
        return _keep(Rule.PROGRAMS)
    return _keep(Rule.PROGRAM) if thread else _ignore(Rule.PROGRAM)


def _judge_follow_up(
    message: Message, engagement: EngagementSettings, *, own: bool
) -> Verdict:
    """Return what to do with a message that does not address the bot.

    The bot has taken part in the thread before.
    """
    if _was_sent_away(engagement):
        return _keep(Rule.SENT_AWAY, f"{MarkKind.PERSON.value}:{engagement.follow_by}")
    if not (own or engagement.adopted):
        return _keep(Rule.NOT_OURS)
    if engagement.quiet:
        return _keep(Rule.QUIET)
    if engagement.follow == MENTION:
        return _keep(Rule.ONLY_MENTIONS, engagement.follow_level)
    if engagement.follow == ALL:
        return _answer(Rule.FOLLOWS_UP_ALL)
    if first := _first_mention(message):
        return _keep(Rule.OTHERS_FIRST, f"{first.kind.value}:{first.id}")
    if other := _answered_author(message):
        return _keep(Rule.ANSWERS_OTHER, f"{other.kind.value}:{other.id}")
    if closing := _closing(message):
        return _keep(closing)
    return _answer(Rule.FOLLOWS_UP)


def _obey(
    asked: Instruction, message: Message, engagement: EngagementSettings
) -> Verdict:
    place, change = Scope.of(message.thread), None
    if asked is Instruction.STAY_OUT:
        change = Change(place, "follow", MENTION)
    elif asked is Instruction.COME_BACK and _was_sent_away(engagement):
        change = Change(place, "follow", None)
    # In a thread without the bot, there is no answer to stop.
    begins = asked is not Instruction.STOP
    return Verdict(Disposition.KEEP, Rule.INSTRUCTION.value, change, begins=begins)


def _only_mentions(engagement: EngagementSettings) -> bool:
    """Return whether the bot answers nothing in the thread but mentions."""
    return engagement.quiet or engagement.follow == MENTION


def _was_sent_away(engagement: EngagementSettings) -> bool:
    return engagement.in_thread and engagement.follow == MENTION


def _closing(message: Message) -> Rule | None:
    """Return the rule for a message that only closes an exchange, or None.

    Such a message needs no answer. None means that the message says more.
    """
    if message.files:
        return None
    text = _words(message)
    if set_phrases.is_thanks(text):
        return Rule.THANKS
    # Emoji that the platform marks do not count as words.
    marked = any(isinstance(each, Mark) for each in message.parts)
    if (marked and not text.strip(" \t\n!.")) or set_phrases.is_emoji(text):
        return Rule.EMOJI
    return None


def _words(message: Message) -> str:
    """Return the text that the author of `message` typed, without marks."""
    if not message.parts:
        return message.text
    return " ".join(each for each in message.parts if isinstance(each, str)).strip()


def _mentions_bot(message: Message) -> bool:
    return any(
        isinstance(each, Mark) and each.kind is MarkKind.BOT for each in message.parts
    )


def _others(message: Message) -> list[Mark]:
    """Return the mentions of anyone but the bot and the author."""
    return [
        each
        for each in message.parts
        if isinstance(each, Mark)
        and each.kind not in (MarkKind.BOT, MarkKind.EMOJI)
        and each.id != message.author
    ]


def _first_mention(message: Message) -> Mark | None:
    """Return the mention of somebody else with which `message` begins, or None.

    Opening words, such as a greeting, and emoji may precede the mention.
    """
    others = _others(message)
    for each in message.parts:
        if each in others:
            assert isinstance(each, Mark)
            return each
        if isinstance(each, str) and not set_phrases.is_opening(each):
            return None
    return None


def _answered_author(message: Message) -> Mark | None:
    """Return the author of the message that `message` answers, unless it is the bot."""
    other = message.answers
    return other if other is not None and other.kind is not MarkKind.BOT else None


def _answer(rule: Rule) -> Verdict:
    return Verdict(Disposition.ANSWER, rule.value)


def _keep(rule: Rule, about: str = "") -> Verdict:
    return Verdict(Disposition.KEEP, f"{rule.value} {about}".strip())


def _ignore(rule: Rule) -> Verdict:
    return Verdict(Disposition.IGNORE, rule.value)
