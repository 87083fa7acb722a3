"""Examples of messages in threads of the bot that are for the bot or not."""

import re

import pytest

from bot.conversation.addressing import (
    EngagementSettings,
    Instruction,
    Rule,
    explanation,
    instruction,
    judge,
    judge_edited,
)
from bot.domain.attachment import Attachment
from bot.domain.message import (
    Decision,
    Disposition,
    Mark,
    MarkKind,
    Message,
    ThreadFacts,
)
from bot.domain.scope import Scope, ThreadKey
from bot.domain.setting import Change
from bot.messages import addressing as said
from bot.text import references
from bot.text.characters import OPEN

HERE = ThreadKey("fake", "w", "c", "t")
OURS, THEIRS = ThreadFacts(follows=True), ThreadFacts(follows=False)
MARKS = {
    "<bot>": Mark(MarkKind.BOT, "UBOT"),
    "<Bob>": Mark(MarkKind.PERSON, "U2"),
    "<Ann>": Mark(MarkKind.PERSON, "U1"),
    "<devs>": Mark(MarkKind.GROUP, "S1"),
    "<here>": Mark(MarkKind.EVERYONE),
    "<tada>": Mark(MarkKind.EMOJI),
}
BOB, BOT = MARKS["<Bob>"], MARKS["<bot>"]
IN_THREAD = {"follow_level": "thread", "follow_by": "U2"}


def heard(text: str, *, answers: Mark | None = None, **more: object) -> Message:
    """Return a message of Ann's; "<Bob>" in it is a mention."""
    typed = [each for each in re.split(r"(<\w+>)", text) if each]
    parts = tuple(MARKS.get(each, each) for each in typed)
    addressed = MARKS["<bot>"] in parts or answers == BOT
    facts: dict[str, object] = {
        **{"thread": HERE, "message": "1", "at": 1.0, "author": "U1", "text": text},
        **{"addressed": addressed, "opens": False, "parts": parts, "answers": answers},
    }
    return Message(**(facts | more))  # type: ignore[arg-type]


ANSWERED = [
    # English
    *("and now?", "why?", "why", "thanks, and now the second one?", "?", "!!"),
    *("Thanks. Do the second one", "thank you, next", "yes, thanks", "thanks but no"),
    *("what did <Bob> mean?", "Summarise what <Bob> and <devs> said", "👍?", "ok"),
    *("What is due? cc <Bob>", "hey, tell <Bob> about it", "tell me about :tada:"),
    *("@Bob can you look?", "@here lunch?", "10:30:45", "<Ann> is what I am called"),
    *("stay out?", "should you stay out", "don't come back", "+1 for the second"),
    # German
    *("danke, und jetzt die zweite?", "Danke, mach weiter", "was meint <Bob> damit?"),
    *(
        "ja, danke",
        "bleib kurz",
        "Warum?",
        "Danke für den Hinweis auf den Fehler, mach",
    ),
    # French
    *("merci, et la deuxième ?", "merci, continue", "que voulait dire <Bob> ?", "oui"),
    # Spanish
    *("gracias, ¿y el segundo?", "gracias, sigue", "¿qué quiso decir <Bob>?", "vale"),
    # Portuguese
    *("obrigado, e o segundo?", "obrigada, continua", "o que o <Bob> quis dizer?"),
    # Japanese
    *("ありがとう、次は？", "ありがとう。続けてください", "<Ann> です", "続けて"),
]
KEPT = [
    # English
    *("<Bob> can you look?", "hey <Bob>, what do you think?", "<devs> please look"),
    *("<here> lunch?", "Hi <Bob>", "<Bob> <devs> see above", "<tada> <Bob> done"),
    *(
        "ok, <Bob>: yours",
        "thanks <Bob>",
        "cc <Bob>",
        "Thanks!",
        "thank you so much 🙏",
    ),
    *("thx", "Perfect, thanks a lot!", "thanks for your help :)", "No, thanks.", "ty"),
    *(
        "👍",
        "🎉🎉",
        "<tada>",
        "<tada> <tada> !",
        ":)",
        "1️⃣",
        "Thanks <tada>",
        "thaaanks",
    ),
    # German
    *("<Bob> kannst du das prüfen?", "Hallo <Bob>, schau mal", "Danke!", "Vielen Dank"),
    *("Super, danke dir!", "Dankeschön 😊", "Herzlichen Dank für die schnelle Hilfe"),
    # French
    *("<Bob> tu peux regarder ?", "Salut <Bob>, une idée", "Merci beaucoup !"),
    *("C'est parfait, merci", "Merci à toi", "merci <Bob>", "super merci"),
    # Spanish
    *("<Bob> ¿puedes mirar?", "Oye <Bob>, mira", "¡Muchas gracias!", "Mil gracias"),
    *("perfecto, gracias", "gracias por la ayuda"),
    # Portuguese
    *("<Bob> podes ver?", "Oi <Bob>, vê isto", "Muito obrigado!", "valeu", "obrigada"),
    # Japanese, Chinese, Korean
    *(
        "<Bob> 見てもらえますか？",
        "ありがとうございます！",
        "どうもありがとう",
        "助かりました",
    ),
    *("谢谢", "감사합니다"),
]


def test_there_are_many_examples() -> None:
    assert len(ANSWERED) + len(KEPT) >= 100


def test_a_follow_up_is_answered() -> None:
    for text in ANSWERED:
        assert judge(heard(text), OURS).disposition is Disposition.ANSWER, text


def test_what_is_for_others_or_only_thanks_is_read() -> None:
    for text in KEPT:
        assert judge(heard(text), OURS).disposition is Disposition.KEEP, text
        every = EngagementSettings(follow="all")
        assert judge(heard(text), OURS, every).disposition is Disposition.ANSWER, text


def test_what_mentions_the_bot_too_is_answered() -> None:
    for text in KEPT:
        for both in (f"{text} <bot>", f"<bot> {text}"):
            assert judge(heard(both), OURS).disposition is Disposition.ANSWER, text


def test_a_reply_to_somebody_else_is_read() -> None:
    assert judge(heard("why?", answers=BOB), OURS).rule == "answers-other person:U2"
    assert judge(heard("why? <bot>", answers=BOB), OURS).rule == "addressed"
    assert judge(heard("why?", answers=BOT), OURS).rule == "addressed"
    assert judge(heard("thanks!", answers=BOT), OURS).rule == "thanks"
    assert judge(heard("thanks!", answers=BOT), None).rule == "addressed"


def test_a_file_is_no_thanks() -> None:
    found = judge(heard("thanks!", files=(Attachment("log.txt"),)), OURS)
    assert found.disposition is Disposition.ANSWER


@pytest.mark.parametrize(
    ("text", "engagement", "rule"),
    [
        ("<Bob> look", EngagementSettings(), "others-first person:U2"),
        ("<devs> look", EngagementSettings(), "others-first group:S1"),
        ("<here> look", EngagementSettings(), "others-first everyone:"),
        ("look", EngagementSettings(quiet=True), "quiet"),
        ("look", EngagementSettings("mention", "channel"), "only-mentions channel"),
        (
            "look",
            EngagementSettings("mention", "thread", "U2"),
            "sent-away person:U2",
        ),
        ("look", EngagementSettings("all"), "follows-up-all"),
    ],
)
def test_the_rule_is_named(
    text: str, engagement: EngagementSettings, rule: str
) -> None:
    assert judge(heard(text), OURS, engagement).rule == rule


def test_a_thread_that_began_without_the_bot_is_read() -> None:
    assert judge(heard("look"), THEIRS).rule == "not-ours"
    adopted = EngagementSettings("smart", "thread")
    assert judge(heard("look"), THEIRS, adopted).rule == "follows-up"
    assert judge(heard("<Bob> look"), THEIRS, adopted).rule == "others-first person:U2"


STAY_OUT = [
    *("stay out", "Stay out!", "please stay out of this", "STAY OUT."),
    *("halt dich raus", "Halte dich bitte da raus!", "bleib bitte draußen"),
    *("reste en dehors", "Ne t'en mêle pas, s'il te plaît", "no te metas"),
    *("por favor, quédate fuera", "fica de fora", "não se meta", "resta fuori"),
    *("口を出さないで", "口を出さないでください"),
]
COME_BACK = [
    *("come back", "Please come back!", "komm zurück", "du kannst wiederkommen"),
    *(
        "reviens",
        "Reviens, s'il te plaît",
        "vuelve",
        "regresa por favor",
        "pode voltar",
    ),
    *("volta", "戻ってきて", "戻ってきてください"),
]


def test_anybody_may_send_it_away() -> None:
    for form in ("{}", "<bot> {}", "{} <bot>"):
        for text in STAY_OUT:
            found = judge(heard(form.format(text)), OURS)
            assert found.disposition is Disposition.KEEP, text
            assert found.change == Change(Scope.of(HERE), "follow", "mention"), text


def test_anybody_may_call_it_back() -> None:
    for form in ("{}", "<bot> {}"):
        for text in COME_BACK:
            away = EngagementSettings("mention", **IN_THREAD)  # type: ignore[arg-type]
            found = judge(heard(form.format(text)), OURS, away)
            assert found.change == Change(Scope.of(HERE), "follow", None), text
            assert judge(heard(form.format(text)), OURS).change is None, text


@pytest.mark.parametrize(
    "text",
    ["<Bob> stay out", "stay out of the sun", "stay out <devs>", "<Bob> come back"],
)
def test_what_is_said_to_others_sends_nobody_away(text: str) -> None:
    assert judge(heard(text), OURS).change is None
    assert judge(heard("stay out", answers=BOB), OURS).change is None


def test_in_a_thread_of_others_only_a_mention_instructs() -> None:
    assert judge(heard("stay out"), THEIRS).rule == "not-ours"
    assert judge(heard("stay out"), None).disposition is Disposition.IGNORE
    assert judge(heard("<bot> stay out"), THEIRS).change is not None
    assert judge(heard("<bot> stay out"), None).begins
    direct = EngagementSettings(direct=True)
    assert judge(heard("stay out", addressed=True), OURS, direct).rule == "addressed"


def test_programs_and_the_bot_instruct_nobody() -> None:
    text = "<bot> stay out"
    assert judge(heard(text, automated=True), OURS).change is None
    assert judge(heard(text, echo=True), OURS).change is None


def test_why_is_a_command_and_why_with_a_mark_a_question() -> None:
    assert instruction(heard("<bot> why")) is Instruction.WHY
    assert instruction(heard("<bot> Why", answers=BOB)) is Instruction.WHY
    for text in ("<bot> why?", "why", "<bot> why not", "<bot> <Bob> why"):
        assert instruction(heard(text)) is None


def test_a_question_that_lost_its_mention_is_not_answered() -> None:
    assert judge_edited(heard("look"), THEIRS).rule == "mention-removed"
    assert judge_edited(heard("look"), OURS).disposition is Disposition.ANSWER


BOBS = references.user("U2")


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("others-first person:U2", f"It mentions {BOBS} first."),
        ("others-first group:S1", f"It mentions {references.group('S1')} first."),
        ("others-first everyone:", "It mentions everybody first."),
        ("answers-other person:", "It replies to, or forwards, a message of somebody"),
        ("sent-away person:U2", f"{BOBS} asked me to stay out of this thread"),
        ("only-mentions workspace", "set to `mention` for the workspace,"),
        *((each.value, "") for each in Rule if each.value in ("thanks", "stale")),
    ],
    # References hold a secret of the process.
    ids=lambda text: "reference" if OPEN in text else None,
)
def test_it_says_why_not(rule: str, text: str) -> None:
    told = explanation(Decision("1", "U1", answered=False, rule=rule), "slack")
    assert told.startswith(f"I did not answer {references.user('U1')}'s last message. ")
    assert text in told
    assert told.endswith(said.MENTION_ME)


def test_it_says_why() -> None:
    told = explanation(Decision("1", "U1", answered=True, rule="addressed"), "slack")
    assert told == f"I answered {references.user('U1')}'s last message. " + (
        said.IT_MENTIONS_ME
    )
    assert explanation(None, "slack") == said.NOTHING_DECIDED
    unknown = Decision("1", "U1", answered=True, rule="of a later version")
    assert explanation(unknown, "slack") == said.NOTHING_DECIDED


STOPS = [
    *("stop", "Stop!", "STOP", "stop.", "stopp", "stooop", "stop stop stop", "/stop"),
    *("please stop", "ok, stop", "hey stop", "no, stop that", "that's enough", "halt"),
    *("Claude, stop", "wait, stop it", "cancel", "stop 🛑", "Stopp bitte", "Hör auf!"),
    *(
        "arrête",
        "Arrete !",
        "arrête s'il te plaît",
        "para",
        "¡Para!",
        "para, por favor",
    ),
    *("pare", "basta", "detente", "fermati", "hou op", "sluta", "hold op", "przestań"),
    *("стоп", "хватит", "dur", "berhenti", "止めて", "止めてください", "ストップ！"),
    *("やめて", "停止", "停", "别说了", "그만", "멈춰 주세요", "σταμάτα", "توقف"),
]
NO_STOPS = [
    *("stop?", "don't stop", "stop the build", "how do I stop it", "the bus stop", ""),
    *("stopped", "para que sirve", "halt the deployment", "🛑", "enough", "genug"),
    *("please", "no", "ok", "stop and think about it", "stop words", "thanks"),
]


def test_stop_alone_is_an_instruction_where_no_mention_is_needed() -> None:
    for text in STOPS:
        for form in (text, f"<bot> {text}"):
            assert instruction(heard(form)) is Instruction.STOP, text
            verdict = judge(heard(form), OURS)
            assert verdict.disposition is Disposition.KEEP, text
            assert verdict.rule == Rule.INSTRUCTION.value, text
            assert verdict.change is None, text


def test_what_says_more_than_stop_stops_nothing() -> None:
    for text in NO_STOPS:
        assert instruction(heard(text)) is not Instruction.STOP, text


def test_stop_without_a_mention_is_for_people_where_one_is_needed() -> None:
    mention_only = EngagementSettings(follow="mention")
    sent_away = EngagementSettings(follow="mention", **IN_THREAD)  # type: ignore[arg-type]
    for thread, engagement in (
        (THEIRS, EngagementSettings()),
        (None, EngagementSettings()),
        (OURS, EngagementSettings(quiet=True)),
        (OURS, mention_only),
        (OURS, sent_away),
    ):
        rule = judge(heard("stop"), thread, engagement).rule
        assert rule != Rule.INSTRUCTION.value
        told = judge(heard("<bot> stop"), thread, engagement)
        assert told.rule == Rule.INSTRUCTION.value
    assert judge(heard("<Bob> stop"), OURS).rule.startswith(Rule.OTHERS_FIRST.value)
    assert judge(heard("stop", answers=BOB), OURS).rule != Rule.INSTRUCTION.value
