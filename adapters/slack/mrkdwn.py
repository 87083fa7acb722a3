"""Parses and writes Slack's mrkdwn. Pure.

Incoming text contains mentions, channels and links as `<…>` and escapes `&`, `<` and
`>`; outgoing `text` needs the same escapes (platform facts A6).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import unquote

from bot.text import references
from bot.text.references import Reference, ReferenceKind

# Text that notifies people, perhaps also inside a markdown block (facts A6): a mention
# of a user, a channel, a user group or everybody. In a markdown block, a backslash
# before a sign is dropped, an entity means its character, and whether a bare name such
# as "@here" notifies is undocumented. An id is a letter for its kind and at least eight
# capitals or digits, so that code such as `List<@NonNull String>` or `<#Type#>` does
# not match. Entities that form no mention, such as `&#39;` and `&lt;!DOCTYPE`, do not
# match either. Bare names are ignored in code, where Markdown interprets nothing.
_LESS = r"(?:<|&(?:(?i:lt);?|#0{0,3}60;?|#[Xx]0{0,3}3[Cc];?))\\?"
_AT = r"(?:@|&(?:commat;|#0{0,3}64;?|#[Xx]0{0,3}40;?))"
_HASH = r"(?:#|&(?:num;|#0{0,3}35;?|#[Xx]0{0,3}23;?))"
_BANG = r"(?:!|&(?:excl;|#0{0,3}33;?|#[Xx]0{0,3}21;?))"
# A character of a name or an id that is written as an entity.
_CODED = r"&#[0-9Xx]"
_ID = (
    r"(?:[A-Z0-9]{8}(?:[A-Z0-9]{0,6}(?:\s{0,2}[>|\\&]|\s{3})|[A-Z0-9]{7})"
    rf"|[A-Z0-9]{{0,7}}{_CODED})"
)
_EVERYBODY = "(?i:channel|here|everyone)"
# The beginning of one of these names, or nothing. Any order of the letters will do.
_BEGUN = "(?i:[chanel]{0,6}|[her]{0,3}|[evryon]{0,7})"
PINGS = re.compile(
    rf"{_LESS}(?:{_AT}(?:[UW]{_ID}|{_CODED})|{_HASH}(?:[CDG]{_ID}|{_CODED})"
    rf"|{_BANG}(?:\s|&[A-Za-z#]|{_EVERYBODY}(?![A-Za-z0-9_-])|{_BEGUN}{_CODED}"
    r"|(?i:subteam|date)(?:\^|&)|(?i:[subteamd]{1,6})&#[0-9Xx]))"
    rf"|(?P<prose>{_AT}(?:{_EVERYBODY}(?![A-Za-z0-9_])|{_BEGUN}{_CODED}))"
    r"|&#[Xx]?0{4}"
)

_TOKEN = re.compile(r"<([^<>]++)>")
_MENTION = r"<@([A-Z0-9]++)(?:\|[^<>]*+)?>"
_USER = re.compile(_MENTION)
_CHANNEL = re.compile(r"<#([A-Z0-9]++)(?:\|[^<>]*+)?>")
_NAMELESS = re.compile(r"<#([A-Z0-9]++)\|?>")
_GROUP = re.compile(r"<!subteam\^([A-Z0-9]++)(?:\|[^<>]*+)?>")
# Links that Slack makes of addresses, of names that end like a domain, and of dates
# and "@here". In commands, Slack may send other text in angle brackets as it was typed.
_LINK = re.compile(
    r"<((?:[a-z][a-z0-9+.-]{0,30}+://|mailto:|tel:"
    r"|!(?:here|channel|everyone|date\^))[^<>]*+)>"
)

# The scheme that Slack adds to text that it recognises as an address.
_SCHEME = re.compile(r"(?:[a-z][a-z0-9+.-]{1,30}+:)(?://)?", re.IGNORECASE)
_QUOTED_LINE = re.compile(r"^[ \t]*+(?:&gt;|>)[^\n]*+", re.MULTILINE)
_QUOTED_REST = re.compile(r"^[ \t]*+(?:&gt;|>){3}", re.MULTILINE)

# Mentions with the blanks that are removed with them: at the beginning of a text, after
# a word and before punctuation or a blank, and anywhere.
# A comma or colon belongs to the mention only before a blank, since Slack sends emoji
# as ":name:". In Chinese and Japanese, no blank follows.
_FIRST = re.compile(rf"\s*+{_MENTION}(?:[ \t]*+(?:[,:](?!\S)|[，：、]))?\s*+")
# At the end of a sentence, the comma before it is removed as well: "right, @bot?".
_BEHIND = re.compile(
    rf"(?<=\S)(?:,(?=[ \t]++<@[^<>]++>[ \t]*+(?:[.!?]|\Z)))?"
    rf"[ \t]++{_MENTION}(?=[ \t]*+(?:[.;!?)]|[,:](?!\S))|\s|$)"
)
_ANYWHERE = re.compile(rf"{_MENTION}[ \t]*+")
# A mention with nothing else in its emphasis, which goes with the mention.
_EMPHASISED = re.compile(rf"([*_~]{{1,3}}+)({_MENTION})\1")

# The Markdown subset of `bot.ui.elements`, as `format_text` parses it.
_CODE = re.compile(r"(```.*?```|`[^`\n]++`)", re.DOTALL)
_LANGUAGE = re.compile(r"```\w++\n")
_QUOTE = re.compile(r"^&gt; ?", re.MULTILINE)
_ITEM = re.compile(r"^- ", re.MULTILINE)
_BOLD = re.compile(r"\*\*([^*\n]++)\*\*")
# A character that the escaped form of each of these contains.
_MARK = re.compile(r"&gt;|[-*]")

# The valid ids of references, by kind. Addresses are escaped.
_IDS = {
    ReferenceKind.USER: re.compile(r"[UW][A-Z0-9]++"),
    ReferenceKind.GROUP: re.compile(r"S[A-Z0-9]++"),
    ReferenceKind.CHANNEL: re.compile(r"[CDG][A-Z0-9]++"),
    ReferenceKind.LINK: re.compile(r"https?://[^<>|]++"),
    ReferenceKind.TIME: re.compile(r"[0-9]{1,12}+"),
    ReferenceKind.DAY: re.compile(r"[0-9]{1,12}+"),
}
_DRAWN = {
    ReferenceKind.USER: "<@{}>",
    ReferenceKind.GROUP: "<!subteam^{}>",
    ReferenceKind.CHANNEL: "<#{}>",
    ReferenceKind.LINK: "<{}>",
    # Slack shows times in the reader's time zone. If it cannot, it shows the text after
    # the bar (facts A6).
    ReferenceKind.TIME: "<!date^{}^{{date_short_pretty}}, {{time}}|{}>",
    ReferenceKind.DAY: "<!date^{}^{{date_short_pretty}}|{}>",
}
_PEOPLE = (ReferenceKind.USER, ReferenceKind.GROUP)


def mentions(text: str, user: str) -> bool:
    """Return whether `text` mentions `user`."""
    return f"<@{user}>" in text or f"<@{user}|" in text


def addresses(text: str, user: str) -> bool:
    """Return whether `text` mentions `user` outside of quoted lines."""
    if not mentions(text, user):
        return False
    own = _QUOTED_REST.split(text, maxsplit=1)[0]
    return mentions(_QUOTED_LINE.sub("", own), user)


def with_plain_name(text: str, user: str, name: str) -> str:
    """Return `text` with the mentions of `user` replaced by the visible `name`."""

    def plain(match: re.Match[str]) -> str:
        return f"@{escape(name)}" if match[1] == user else match[0]

    return _USER.sub(plain, text)


def users(text: str) -> list[str]:
    """Return the ids of the users that `text` mentions, each once, in order."""
    return list(dict.fromkeys(_USER.findall(text)))


def channels(text: str) -> list[str]:
    """Return the ids of the channels that `text` mentions without a name, each once, in
    order."""
    return list(dict.fromkeys(_NAMELESS.findall(text)))


def named(
    texts: Sequence[str], authors: Sequence[str], most: int
) -> tuple[list[str], list[str]]:
    """Return the ids of users and of channels whose names are needed to show `texts` by
    `authors`. At most `most` ids are taken per text, its author first."""
    people = dict.fromkeys(authors)
    places: dict[str, None] = {}
    for text, author in zip(texts, authors, strict=True):
        of_text = [author, *users(text)][:most]
        people.update(dict.fromkeys(of_text))
        places.update(dict.fromkeys(channels(text)[: most - len(of_text)]))
    return list(people), list(places)


def read(texts: Iterable[str], user: str, names: Mapping[str, str]) -> list[str]:
    """Return `texts` as a reader sees them, without the mentions of `user`."""
    return [readable(without_mention(text, user), names) for text in texts]


def without_mention(text: str, user: str) -> str:
    """Return `text` without the mentions of `user` and the blanks around them."""
    if not mentions(text, user):
        return text.strip()

    def gone(match: re.Match[str]) -> str:
        return "" if match[1] == user else match[0]

    text, at = without_emphasis(text, user), 0
    while (first := _FIRST.match(text, at)) and first[1] == user:
        at = first.end()
    return _ANYWHERE.sub(gone, _BEHIND.sub(gone, text[at:])).strip()


def without_emphasis(text: str, user: str) -> str:
    """Return `text` with mentions of `user` that are bold, italic or struck as plain
    mentions."""

    def plain(match: re.Match[str]) -> str:
        return match[2] if match[3] == user else match[0]

    # Emphases may be nested.
    for _ in range(2):
        text = _EMPHASISED.sub(plain, text)
    return text


def readable(text: str, names: Mapping[str, str]) -> str:
    """Return `text` as a reader sees it. `names` are by user or channel id."""
    return unescape(_TOKEN.sub(lambda m: _read(m[1], names), text))


def tokens(text: str) -> str:
    """Return typed text as a reader sees it, but with mentions in the form that
    settings use ("user:U1")."""
    text = _USER.sub(r"user:\1", text)
    text = _CHANNEL.sub(r"channel:\1", text)
    text = _GROUP.sub(r"group:\1", text)
    return unescape(_LINK.sub(lambda match: _read(match[1], {}), text))


def format_text(text: str, names: Mapping[str, str] | None = None) -> str:
    """Return the Markdown subset of `bot.ui.elements` as mrkdwn. Only the core's
    references become mentions or links.

    If `names` is None, people and groups become mentions. Use this for text that one
    person sees: an ephemeral message, a modal or the Home tab. In a post, a mention
    would notify people. There, pass `names` by id; an id without a name stays an id.
    """

    def draw(found: Reference) -> str:
        named = names is not None and found.kind in _PEOPLE
        if named or not _IDS[found.kind].fullmatch(found.id):
            return escape((names or {}).get(found.id, "")) or found.id
        return _DRAWN[found.kind].format(found.id, references.plain(found))

    parts = _CODE.split(escape(text))
    # Skip text without marks, which is most of the text between pieces of code.
    parts[::2] = [_prose(each) if _MARK.search(each) else each for each in parts[::2]]
    parts[1::2] = [_code(each) if each[1] == "`" else each for each in parts[1::2]]
    parts[::2] = [references.render(each, draw) for each in parts[::2]]
    return references.plain_text("".join(parts))


def _code(text: str) -> str:
    # Slack would show the language of a code block as its first line.
    match = _LANGUAGE.match(text)
    return f"```\n{text[match.end() :]}" if match else text


def _prose(text: str) -> str:
    text = _QUOTE.sub("> ", text)
    text = _ITEM.sub("• ", text) if "- " in text else text
    return _BOLD.sub(_bold, text) if "**" in text else text


def _bold(match: re.Match[str]) -> str:
    return f"*{match[1]}*"


def escape(text: str) -> str:
    """Return `text` escaped, so that Slack shows it literally and notifies nobody."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def unescape(text: str) -> str:
    """Return the text that `escape` turns into `text`."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _read(token: str, names: Mapping[str, str]) -> str:
    target, _, label = token.partition("|")
    kind, rest = target[:1], target[1:]
    if kind == "@":
        return "@" + (names.get(rest) or label.lstrip("@") or rest)
    if kind == "#":
        return "#" + (label.lstrip("#") or names.get(rest) or rest)
    if kind == "!":
        return _special(rest, label)
    if label and _is_invented(target, label):
        return label
    target = target.removeprefix("mailto:").removeprefix("tel:")
    return target if not label or label == target else f"{label} ({target})"


def _is_invented(target: str, label: str) -> bool:
    """Return whether Slack made the link from the typed text `label`: it then differs
    from `target` only in the scheme, a slash at the end, or percent-encoding."""
    scheme = _SCHEME.match(target)
    if scheme is None:
        return False
    address, typed = target[scheme.end() :], label
    if scheme[0].lower() == "tel:":
        return _digits(address) == _digits(typed)
    typed = typed.removeprefix(scheme[0])
    return _comparable(address) == _comparable(typed)


def _comparable(address: str) -> str:
    return unquote(address).rstrip("/").casefold()


def _digits(number: str) -> str:
    return "".join(filter(str.isdigit, number))


def _special(target: str, label: str) -> str:
    if target.startswith("date^"):
        return label or target
    if target.startswith("subteam^"):
        return "@" + (label.lstrip("@") or "group")
    return "@" + (label.lstrip("@") or target)
