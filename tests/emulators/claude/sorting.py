"""Answers a JSON schema by words in the question.

Only the form of the answer resembles an answer of Claude. A ticket is sorted by a list
of words without regard to context. Measurements with it describe the program around
Claude, and not how well Claude sorts.
"""

import hashlib
import json
import re
from typing import Any

from tests.emulators.claude.prompt import Body
from tests.emulators.claude.schema import Schema, resolved

MOST_CHARS = 120

#: Words that indicate a value of an `enum`. A match begins at the start of a word.
WORDS = {
    "bug": (
        "error crash bug broken fails doesn't|work not|working "
        "fehler absturz kaputt funktioniert|nicht stürzt "
        "erreur plante panne bogue ne|fonctionne "
        "error fallo falla no|funciona se|cierra "
        "エラー バグ クラッシュ 不具合 動かない 動きません"
    ),
    "feature": (
        "feature would|be|nice would|love please|add it|would|be|great dark|mode "
        "wäre|schön funktionswunsch wünsch bitte|ergänz "
        "ce|serait ajouter fonctionnalité j'aimerais "
        "sería|bueno función|nueva añadir me|gustaría "
        "機能 追加して 要望 対応してほしい 欲しい"
    ),
    "billing": (
        "invoice refund charge payment billing credit|card subscription "
        "rechnung abgebucht rückzahlung zahlung erstattung kündig "
        "facture rembours prélev paiement abonnement "
        "factura reembolso cobr pago suscripción "
        "請求 返金 支払 課金 領収書"
    ),
    "how_to": (
        "how|do how|can how|to where|can where|do where|is "
        "wie|kann wie|mache wo|finde wie|geht "
        "comment où|puis où|est "
        "cómo dónde "
        "方法 どうやって どこで 使い方 教えて"
    ),
    "critical": (
        "outage nobody|can everyone all|users data|loss lost|all security down breach "
        "ausfall niemand datenverlust alle|nutzer sicherheitslücke "
        "tout|le|monde personne|ne perte|de|données faille "
        "nadie todos|los caída|total pérdida|de|datos brecha "
        "全員 障害 データが消 誰も 緊急"
    ),
    "high": (
        "urgent asap cannot can't today deadline blocked twice immediately "
        "dringend heute sofort zweimal blockiert "
        "urgente aujourd'hui immédiat deux|fois bloqué "
        "hoy inmediat dos|veces bloquead plazo "
        "至急 今日 二重 急いで できません"
    ),
    "medium": (
        "sometimes workaround slow annoying question "
        "manchmal langsam frage umständlich "
        "parfois lent question gênant "
        "a|veces lento pregunta molest "
        "時々 遅い 質問 不便"
    ),
    "low": (
        "typo cosmetic some|day someday would|be|nice thanks curious idea "
        "tippfehler irgendwann danke idee wäre|schön "
        "coquille un|jour merci idée "
        "errata algún|día gracias idea "
        "誤字 いつか ありがとう アイデア"
    ),
}


def _needle(word: str) -> str:
    """Return the text to look for in a `_plain` text. Japanese has no spaces, so a
    Japanese word may begin anywhere."""
    return _plain(word) if word[0] < "\u3000" else word


def _plain(text: str) -> str:
    """Return `text` with one space before each word and nothing else between them."""
    return " " + _BETWEEN.sub(" ", text).strip()


_BETWEEN = re.compile(r"\W+")
_NEEDLES = {
    value: tuple(dict.fromkeys(map(_needle, words.split())))
    for value, words in WORDS.items()
}
_WRAPPED = re.compile(r"\s*<(\w+)>(.*)</\1>\s*", re.DOTALL)
_TICKET = re.compile(r"<ticket>(.*)</ticket>", re.DOTALL)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s|(?<=[。！？])|\n")


def sorted_by_words(body: Body) -> str:
    """Return JSON that matches the schema of `output_config.format`, chosen by words in
    the last user message."""
    schema: Schema = body["output_config"]["format"]["schema"]
    return json.dumps(_value(schema, schema, text_of(body)), ensure_ascii=False)


def text_of(body: Body) -> str:
    """Return the text of the last user message, without the tags around it."""
    said = [each for each in body["messages"] if each["role"] == "user"][-1]["content"]
    if not isinstance(said, str):
        said = "\n".join(block.get("text", "") for block in said)
    if found := _TICKET.search(said):
        said = found[1]
    while found := _WRAPPED.fullmatch(said):
        said = found[2]
    return str(said).strip()


def _value(root: Schema, schema: Schema, text: str) -> Any:
    schema = resolved(root, schema)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return _chosen(schema["enum"], text.lower())
    for word in ("anyOf", "oneOf", "allOf"):
        if schema.get(word):
            return _value(root, schema[word][0], text)
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = kind[0]
    if kind == "object" or "properties" in schema:
        parts = (schema.get("properties") or {}).items()
        return {name: _value(root, part, text) for name, part in parts}
    if kind == "string":
        return _SENTENCE_END.split(text, maxsplit=1)[0].strip()[:MOST_CHARS]
    plain = {"boolean": False, "integer": 0, "number": 0, "array": []}
    return plain.get(str(kind))


def _chosen(values: list[Any], text: str) -> Any:
    """Return the value that most words indicate; the first one on a tie."""
    names = [str(value).lower() for value in values]
    plain = _plain(text)
    found = [_hits(re.sub(r"[\s-]", "_", name), plain) for name in names]
    if max(found) > 0:
        return values[found.index(max(found))]
    for name, value in zip(names, values, strict=True):
        if name in text or name.replace("_", " ") in text:
            return value
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
    return values[int.from_bytes(digest[:8], "big") % len(values)]


def _hits(name: str, plain: str) -> int:
    """Return the number of words in a `plain` text that indicate the value `name`."""
    return sum(needle in plain for needle in _NEEDLES.get(name, ()))
