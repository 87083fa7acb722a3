"""Recognises short messages that are set phrases: thanks, emoji, "stay out". Pure.

Rule: only whole messages match. A message with a question mark, or with a word that
belongs to no phrase, does not match.
"""

import re
import unicodedata

# Longer messages are not examined, since no set phrase is that long.
MOST_CHARS = 120

_WORD = re.compile(r"[^\W_]++")
_QUESTION = re.compile(r"[?？؟]")
_REPEATED = re.compile(r"(.)\1\1++")
# Emoticons.
_EMOTICON = re.compile(r"(?<!\S)(?:[:;=8]-?[()DPpOo/|3*]|<3+|\^_*\^|[xX]D+|\\o/)(?!\S)")


def _fold(text: str) -> str:
    """Return `text` case-folded, without accents and width variants."""
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(each for each in parts if not unicodedata.combining(each))


def words(text: str) -> list[str]:
    """Return the words of `text`, case-folded and without accents.

    A letter repeated three times or more is reduced to one.
    """
    return [_REPEATED.sub(r"\1", word) for word in _WORD.findall(_fold(text))]


def _set(text: str) -> frozenset[str]:
    return frozenset(words(text))


def _split_word(word: str, phrases: frozenset[str]) -> list[str]:
    """Split `word`, written without spaces, into `phrases`, preferring longer ones.

    Return [] if `word` does not consist of `phrases`.
    """
    found, start = [], 0
    while start < len(word):
        longest = min(len(word), start + _LONGEST_EAST)
        for end in range(longest, start, -1):
            if word[start:end] in phrases:
                found.append(word[start:end])
                start = end
                break
        else:
            return []
    return found


# Words that express thanks on their own.
_THANKS = _set(
    # English
    "thanks thank thanx thankyou thx tnx ty tysm tyvm cheers ta thankful grateful "
    # German, Dutch, Swedish, Norwegian, Danish, Finnish
    "danke dank dankeschön dankesehr bedankt dankjewel dankuwel tack takk tak kiitos "
    # French
    "merci remercie "
    # Spanish, Catalan, Italian
    "gracias grácias gràcies grazie ringrazio agradezco agradecido agradecida "
    # Portuguese
    "obrigado obrigada obrigadão brigado brigada valeu vlw agradeço "
    # Polish, Czech, Russian, Ukrainian, Turkish, Indonesian
    "dziękuję dzięki děkuji díky спасибо благодарю спс дякую teşekkürler teşekkür "
    "sağol makasih kasih"
)

# Words that may accompany words of thanks.
_BESIDE = _set(
    # English
    "you u so very much many a lot again all everyone everybody team guys folks bot "
    "claude for the your ur help quick fast great good nice awesome amazing perfect "
    "excellent brilliant wonderful super cool ok okay okey kk alright got it that this "
    "was is really helpful helps helped works worked explains answer answers "
    "explanation info information clarification and no nope in advance ah oh wow yay "
    "great appreciated appreciate million tons bunch kindly hey hi i am m s mate "
    "indeed just what needed sir man dude buddy well done job "
    # German
    "dir dich euch ihnen ich schön sehr vielen viele besten herzlichen herzlich "
    "tausend lieben liebe für die den das deine schnelle hilfe antwort antworten "
    "erklärung auskunft info perfekt prima toll klasse top alles klar und gut genial "
    "nein hat geholfen nochmal nochmals im voraus ihr euch allen hallo passt cool "
    # French
    "à toi vous te je beaucoup bien mille infiniment pour l aide ta votre la réponse "
    "c est parfait génial top d accord d avance très gentil bon non tous à tous le "
    "les vielmals explication "
    # Spanish
    "muchas muchísimas mil a ti usted todos por la tu su ayuda respuesta perfecto "
    "genial vale listo excelente de nuevo y no muy amable estupendo buenísimo "
    "explicación te lo "
    # Portuguese
    "muito muita demais pela pelo ajuda resposta perfeito ótimo ótima legal show "
    "entendi beleza você vocês a e não mesmo de novo tudo certo por explicação "
    # Italian, Dutch, Scandinavian and Eastern European languages, Turkish, Indonesian
    "mille tante molte ti per l aiuto risposta perfetto ottimo ok je wel u zeer "
    "hartelijk så mycket mange mye tusind tusen paljon bardzo moc большое очень за "
    "помощь щиро çok ederim terima banyak"
)

# Japanese, Chinese and Korean, which use few or no spaces.
_EAST_THANKS = _set(
    "ありがとうございます ありがとうございました ありがとう ありがと あざす 感謝します "
    "感謝 感謝です 助かります 助かりました サンキュー サンクス 有難うございます 有難う "
    "お礼 谢谢 谢谢你 多谢 感谢 謝謝 謝謝你 多謝 感謝你 "
    "감사합니다 고마워요 고마워 고맙습니다 감사해요 감사"
)
_EAST_BESIDE = _set(
    "どうも 本当に ほんとに とても 大変 いつも 誠に 皆さん みんな お世話になりました "
    "なるほど 了解です 了解 分かりました わかりました はい いえ いいえ 完璧です 完璧 "
    "すごい です ね よ 您 你 大家 非常 太 很 了 的 啦 帮助 好的 好 정말 너무 네 "
    "여러분 대단히 도와줘서"
)
_EAST = _EAST_THANKS | _EAST_BESIDE
_LONGEST_EAST = max(map(len, _EAST))

# Words that address somebody. The actual message begins after them.
_OPENING = (
    _set(
        "hey hi hello hallo yo ok okay so and but well oh ah cc fyi ping dear no yes "
        "moin servus guten morgen tag also und aber ja nein liebe lieber sag mal "
        "bonjour salut coucou et alors oui non cher chère dis "
        "hola buenas buenos días oye pues y sí estimado estimada "
        "oi olá opa bom dia e sim não caro cara então "
        "ciao salve buongiorno hoi "
        "ねえ おい あの すみません こんにちは おはよう はい じゃあ"
    )
    | _THANKS
    | _EAST_THANKS
)


def is_thanks(text: str) -> bool:
    """Return True if all of `text` expresses thanks: "Thanks a lot!", "vielen Dank"."""
    if len(text) > MOST_CHARS or _QUESTION.search(text):
        return False
    thanked = False
    for word in words(_EMOTICON.sub(" ", text)):
        if word in _THANKS:
            thanked = True
        elif word not in _BESIDE:
            phrases = _split_word(word, _EAST)
            if not phrases:
                return False
            thanked = thanked or not _EAST_THANKS.isdisjoint(phrases)
    return thanked


def is_emoji(text: str) -> bool:
    """Return True if `text` consists of one or more emoji or emoticons.

    Punctuation is ignored.
    """
    if len(text) > MOST_CHARS or _QUESTION.search(text):
        return False
    left, typed = _EMOTICON.subn(" ", text)
    drawn = [each for each in left if unicodedata.category(each) == "So"]
    # A keycap is a digit with a combining mark: "1️⃣".
    keycaps = left.count("\u20e3")
    others = [each for each in left if unicodedata.category(each)[0] in "LN"]
    return bool(typed or drawn or keycaps) and len(others) == keycaps


def is_opening(text: str) -> bool:
    """Return True if `text` has only words that address or thank: "Hey", "Danke".

    Also return True if it has no words.
    """
    return len(text) <= MOST_CHARS and all(word in _OPENING for word in words(text))


# Words of politeness, which are ignored.
_POLITE = _set(
    "please kindly bitte por favor s il te vous plaît per favore alsjeblieft"
)
_EAST_POLITE = words("ください 下さい 주세요")


def plain(text: str) -> str:
    """Return the words of `text` without words of politeness.

    Return "" if `text` is longer than any phrase or has a question mark.
    """
    if len(text) > MOST_CHARS or _QUESTION.search(text):
        return ""
    said = [word for word in words(text) if word not in _POLITE]
    text = " ".join(said)
    for polite in _EAST_POLITE:
        text = text.removesuffix(polite)
    return text.strip()


def phrases(text: str) -> frozenset[str]:
    """Return the lines of `text`, each normalised by `plain`."""
    return frozenset(plain(line) for line in text.splitlines() if line)


_STAY_OUT = phrases("""
stay out
stay out of this
stay out of it
stay out of this thread
keep out
keep out of this
halt dich raus
halte dich raus
halt dich da raus
halte dich da raus
halt dich hier raus
bleib draußen
bleib raus
misch dich nicht ein
reste en dehors
reste en dehors de ça
reste à l'écart
restez en dehors
ne t'en mêle pas
ne te mêle pas de ça
no te metas
no te metas en esto
quédate fuera
mantente fuera
mantente al margen
fica fora
fique fora
fica de fora
fique de fora
fica fora disso
não se meta
não te metas
stanne fuori
resta fuori
non intrometterti
hou je erbuiten
blijf erbuiten
håll dig utanför
不要插话
别插嘴
口を出さないで
口出ししないで
口を挟まないで
入ってこないで
끼어들지 마
빠져 있어
""")

_COME_BACK = phrases("""
come back
come back in
you can come back
you may come back
komm zurück
komm wieder
komm wieder rein
du kannst wiederkommen
du kannst zurückkommen
reviens
revenez
tu peux revenir
vuelve
vuelve ya
puedes volver
regresa
volta
volte
pode voltar
podes voltar
torna
puoi tornare
kom terug
kom tillbaka
回来
回来吧
戻ってきて
戻ってきていいよ
戻っておいで
戻って
돌아와
""")


def is_stay_out(text: str) -> bool:
    """Return True if all of `text` asks the bot to stay out of a conversation."""
    return plain(text) in _STAY_OUT


def is_come_back(text: str) -> bool:
    """Return True if all of `text` asks the bot to rejoin a conversation."""
    return plain(text) in _COME_BACK
