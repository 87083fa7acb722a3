"""Recognises messages that ask to stop an answer, in several languages. Pure.

Rule: only whole messages match, as in `bot.text.set_phrases`.
"""

from bot.text.set_phrases import is_opening, phrases, plain, words

# Only phrases that are unlikely to answer a question. "Enough" alone may be an answer.
_STOP = phrases("""
stop
stopp
stop it
stop that
stop this
stop now
stop there
stop here
stop writing
stop answering
stop talking
stop typing
stop generating
halt
cancel
cancel that
cancel it
abort
that's enough
halt stopp
hör auf
hör auf damit
hör bitte auf
aufhören
abbrechen
brich ab
schluss jetzt
arrête
arrête ça
arrête-toi
arrête d'écrire
arrêtez
arrêter
stoppe
ça suffit
para
para ya
pare
parar
para de escribir
para de escrever
detente
deténgase
detén
detener
alto
basta
ya basta
basta ya
chega
cancela
ferma
fermati
fermo
smettila
hou op
ophouden
sluta
stans
hold op
seis
lopeta
przestań
zatrzymaj
zatrzymaj się
przestaň
zastav
стоп
хватит
остановись
остановитесь
прекрати
зупинись
зупини
dur
durdur
berhenti
dừng lại
σταμάτα
توقف
עצור
止めて
止めて下さい
やめて
とめて
止まって
やめろ
ストップ
停止
停止して
中止
キャンセル
停
停下
停下来
别说了
別說了
打住
停止回答
取消
그만
그만해
멈춰
멈춰요
멈춰 줘
중지
중단
정지
스톱
""")
# Words that may precede a phrase, in addition to words that address somebody.
_BEFORE = frozenset(words("claude bot wait nope threadkeep"))


def is_stop(text: str) -> bool:
    """Return True if all of `text` asks to stop an answer: "STOP!", "ok, stop stop"."""
    said = plain(text).split()
    while said and " ".join(said) not in _STOP and _may_precede(said[0]):
        said = said[1:]
    if not said:
        return False
    return " ".join(said) in _STOP or all(word in _STOP for word in said)


def _may_precede(word: str) -> bool:
    return word in _BEFORE or is_opening(word)
