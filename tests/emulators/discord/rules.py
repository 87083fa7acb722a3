"""Discord's checks of requests that the model lacks.

Rule: every refusal that the model lacks is made here, before the model sees the
request. All other requests are left to the model (`Model.request`).
"""

import bisect
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tests.emulators.discord import refusals
from tests.emulators.discord.app import App
from tests.emulators.discord.model import (
    FORUM,
    THREADED,
    Channel,
    Json,
    Model,
    Refused,
    Request,
)
from tests.emulators.discord.people import parts

#: B5: seconds for which a repeated nonce returns the existing message ("a few
#: minutes").
NONCES_LAST = 300.0
#: B5.
MOST_CHARACTERS = 2_000
#: B5: the most files of a message, and bytes of a file without boosts.
MOST_FILES, MOST_BYTES = 10, 10 * 1024**2
LONGEST_NONCE = 25
#: B8: the most characters of an input of a form. B2: the most suggestions.
MOST_TYPED = 4_000
MOST_CHOICES = 25
#: B8: the most characters of a title, a placeholder and a text, and parts of a form.
MOST_TITLE, MOST_EXAMPLE, MOST_TEXT, MOST_ROWS = 45, 100, 4_000, 5
#: B8: the types of components at the top of a form.
ROW, TEXT_DISPLAY, LABEL = 1, 10, 18
#: B2: the type of the interaction that submits a form.
SUBMIT = 5
#: B6: the allowed values in minutes.
ARCHIVE_AFTER = (60, 1440, 4320, 10080)

#: B5: the default allowed_mentions of a response to an interaction.
ONLY_USERS = {"parse": ["users"], "replied_user": True}


class Rules:
    """Checks and answers the bot's requests."""

    def __init__(self, model: Model, app: App) -> None:
        self._model = model
        self._app = app
        #: By channel and nonce: the message, and the time until which it is returned.
        self._nonces: dict[tuple[int, str | int], tuple[int, float]] = {}

    def answer(self, request: Request) -> Any:
        """Return the response to `request`. Raises Refused."""
        match request.method, request.path.strip("/").split("/"):
            case method, ["channels", channel, *rest]:
                return self._in_channel(request, method, int(channel), rest)
            case "POST", ["interactions", _, _, "callback"]:
                return self._callback(request)
            case "POST" | "PATCH", ["webhooks", _, _, *_]:
                return self._model.request(
                    self._webhook_message(request), may_read=True
                )
            case "GET", ["users", "@me", "guilds"]:
                return self._guilds(request)
            case "DELETE", ["users", "@me", "guilds", guild]:
                return self._leave(int(guild))
            case method, path if self._app.answers(method, path):
                return self._app.answer(method, path, request)
            case _:
                return self._pass(request)

    def _in_channel(
        self, request: Request, method: str, number: int, rest: list[str]
    ) -> Any:
        channel = self._model.get_channel(number)
        match method, rest:
            case "POST", ["messages"]:
                return self._post(channel, request)
            case "GET", ["messages"]:
                return self._list(channel, request)
            case "PATCH", ["messages", message]:
                return self._edit(channel, int(message), request)
            case "DELETE", ["messages", message]:
                self._check_deletable(channel, int(message))
            case "POST", ["messages", message, "threads"]:
                return self._open_thread(channel, int(message), request)
            case "POST", ["threads"]:
                return self._open_post(channel, request)
            case "PATCH", [] if channel.is_thread:
                return self._change_thread(channel, request.body or {})
        return self._pass(request)

    def _guilds(self, request: Request) -> Any:
        """Return a page of the bot's guilds, by id, at most 200 (discord.py
        `fetch_guilds`)."""
        known = sorted(filter(self._model.is_in, self._model.guilds))
        after = int(request.query.get("after", 0))
        page = [each for each in known if each > after]
        most = min(200, int(request.query.get("limit", 200)))
        return [
            {"id": str(each), "name": self._model.guilds[each].name, "features": []}
            for each in page[:most]
        ]

    def _leave(self, guild: int) -> None:
        if guild not in self._model.guilds or not self._model.is_in(guild):
            raise Refused(404, 10004, "Unknown Guild")
        del self._model.guilds[guild].members[self._model.bot_user.id]
        self._model.emit("GUILD_DELETE", {"id": str(guild)})

    def _pass(self, request: Request) -> Any:
        return self._model.request(request, may_read=self._app.may_read)

    # Messages.

    def _post(self, channel: Channel, request: Request) -> Any:
        body = _object(request.body)
        self._check_content(body, request, required=True)
        self._check_sendable(channel)
        self._check_files(channel, request)
        nonce = body.get("nonce")
        if nonce is not None and len(str(nonce)) > LONGEST_NONCE:
            raise refusals.too_long("nonce", LONGEST_NONCE)
        if body.get("enforce_nonce") and nonce is not None:
            message, until = self._nonces.get((channel.id, nonce), (0, 0.0))
            if self._model.seconds() < until and message in self._posted(channel):
                posted = self._model.get_message(channel.id, message)
                return self._model.message(posted) | {"nonce": nonce}
        self._check_reference(channel, body)
        self._model.pending_nonce = nonce
        try:
            answer = self._pass(request)
        finally:
            self._model.pending_nonce = None
        if body.get("enforce_nonce") and nonce is not None:
            until = self._model.seconds() + NONCES_LAST
            self._nonces[channel.id, nonce] = int(answer["id"]), until
        self._wake(channel)
        return answer

    def _edit(self, channel: Channel, number: int, request: Request) -> Any:
        body = _object(request.body)
        self._model.require_permissions(
            channel.guild_id, self._model.bot_user.id, channel.id
        )
        message = self._model.get_message(channel.id, number)
        refuse_if_archived(channel)
        self._check_content(body, request, required=False)
        merged = {
            "content": message.content,
            "embeds": message.embeds,
            "components": message.components,
            "attachments": message.attachments,
        } | body
        if not _says_something(merged, request):
            raise refusals.empty_message()
        return self._pass(request)

    def _check_deletable(self, channel: Channel, number: int) -> None:
        """Raise Refused if the bot may not delete a message. Nobody moderates direct
        messages, and messages in an archived thread cannot be changed."""
        message = self._model.get_message(channel.id, number)
        foreign = message.author_id != self._model.bot_user.id
        if channel.guild_id is None and foreign:
            raise refusals.not_in_direct_messages()
        refuse_if_archived(channel)

    def _list(self, channel: Channel, request: Request) -> Any:
        """Return a page of messages, newest first. `after` returns the messages right
        after the given one (B5, and the paging of discord.py)."""
        self._model.require_permissions(
            channel.guild_id, self._model.bot_user.id, channel.id
        )
        limit = _number(request.query, "limit", 50)
        if not 1 <= limit <= 100:
            raise refusals.invalid("limit", "NUMBER_TYPE_MAX", "int must be 1 to 100.")
        if not self._model.may(
            self._model.bot_user.id, channel, "read_message_history"
        ):
            return []
        numbers = sorted(self._posted(channel))
        if "around" in request.query:
            around = _number(request.query, "around", 0)
            first = max(0, bisect.bisect_left(numbers, around) - limit // 2)
            numbers = numbers[first : first + limit]
        elif "after" in request.query:
            after = _number(request.query, "after", 0)
            numbers = [number for number in numbers if number > after][:limit]
        else:
            before = _number(request.query, "before", 1 << 64)
            numbers = [number for number in numbers if number < before][-limit:]
        posted = self._model.messages[channel.id]
        return [
            self._model.read(posted[number], may_read=self._app.may_read)
            for number in reversed(numbers)
        ]

    def _posted(self, channel: Channel) -> list[int]:
        """Return the ids of the messages that everybody sees, in no order."""
        messages = self._model.messages[channel.id].values()
        return [message.id for message in messages if not message.is_ephemeral]

    def _check_content(self, body: Json, request: Request, *, required: bool) -> None:
        content = body.get("content")
        if isinstance(content, str) and len(content) > MOST_CHARACTERS:
            raise refusals.too_long("content", MOST_CHARACTERS)
        if required and not _says_something(body, request):
            raise refusals.empty_message()
        self._check_allowed(content)

    def _check_allowed(self, text: Any) -> None:
        """Raise Refused if AutoMod blocks `text`."""
        if any(word in str(text) for word in self._model.blocked):
            raise refusals.blocked()

    def _check_sendable(self, channel: Channel) -> None:
        """Raise Refused if the bot may not post. B6: only moderators post in a locked
        thread; an archived one reopens."""
        if channel.type == FORUM:
            raise refusals.wrong_channel()
        if not self._model.sees(channel.id):
            raise refusals.missing_access()
        if self._model.deaf.intersection(channel.recipient_ids):
            raise refusals.no_direct_messages()
        metadata = channel.thread_metadata
        moderates = self._model.may(self._model.bot_user.id, channel, "manage_threads")
        if metadata and metadata.locked and not moderates:
            raise refusals.thread_locked()

    def _check_files(self, channel: Channel, request: Request) -> None:
        """Raise Refused for too many or too large files (B5), or without permission
        (B7)."""
        if not request.files:
            return
        if not self._model.may(self._model.bot_user.id, channel, "attach_files"):
            raise refusals.missing_permissions()
        if len(request.files) > MOST_FILES:
            raise refusals.too_long("attachments", MOST_FILES)
        if any(len(each.content) > MOST_BYTES for each in request.files):
            raise refusals.too_large()

    def _check_reference(self, channel: Channel, body: Json) -> None:
        """Raise Refused for a reply to a missing message, unless the body allows
        that."""
        reference = body.get("message_reference")
        if not reference or reference.get("fail_if_not_exists") is False:
            return
        target = _digits(reference.get("message_id"))
        if reference.get("type", 0) == 0 and target not in self._posted(channel):
            raise refusals.unknown_reference()

    def _wake(self, channel: Channel) -> None:
        """Reopen an archived thread, as every post in it does (B6)."""
        if channel.thread_metadata and channel.thread_metadata.archived:
            self._model.edit_channel(
                channel.id, {}, thread_metadata={"archived": False}
            )

    # Threads.

    def _open_thread(self, channel: Channel, message: int, request: Request) -> Any:
        if channel.type not in THREADED:
            raise refusals.wrong_channel()
        _check_thread(_object(request.body))
        if message in self._model.channels:
            raise refusals.has_a_thread()
        self._check_allowed(_object(request.body).get("name"))
        threads = [
            each
            for each in self._model.channels.values()
            if each.guild_id == channel.guild_id
            and each.thread_metadata is not None
            and not each.thread_metadata.archived
        ]
        if len(threads) >= self._model.most_threads:
            raise refusals.too_many_threads()
        return self._pass(request)

    def _open_post(self, channel: Channel, request: Request) -> Any:
        body = _object(request.body)
        _check_thread(body)
        if channel.type == FORUM:
            first = _object(body.get("message"))
            self._check_content(first, request, required=True)
        elif channel.type not in THREADED:
            raise refusals.wrong_channel()
        return self._pass(request)

    def _change_thread(self, thread: Channel, body: Json) -> Any:
        """Change a thread. B6: anyone who may write can reopen it, its owner may
        archive or rename it, and only moderators change a locked one."""
        bot = self._model.bot_user.id
        self._model.require_permissions(thread.guild_id, bot, thread.id)
        metadata = thread.thread_metadata
        assert metadata is not None
        moderates = self._model.may(bot, thread, "manage_threads")
        opens = body == {"archived": False} or body == {
            "archived": False,
            "locked": False,
        }
        if metadata.locked and not moderates:
            raise refusals.missing_permissions()
        if not moderates and "locked" in body and body["locked"] != metadata.locked:
            raise refusals.missing_permissions()
        if not moderates and not opens and thread.owner_id != bot:
            raise refusals.missing_permissions()
        if opens and not self._model.may(bot, thread, "send_messages_in_threads"):
            raise refusals.missing_permissions()
        if metadata.archived and body.get("archived") is not False:
            raise refusals.thread_archived()
        if "name" in body or "auto_archive_duration" in body:
            _check_thread({"name": thread.name, **body})
        kept = ("archived", "locked", "auto_archive_duration", "invitable")
        changes: Json = {
            name: body[name] for name in ("name", "rate_limit_per_user") if name in body
        }
        told = {name: body[name] for name in kept if name in body}
        changed = self._model.edit_channel(thread.id, changes, thread_metadata=told)
        return self._model.channel(changed)

    # Interactions.

    def _callback(self, request: Request) -> Any:
        body = _object(request.body)
        data = body.get("data")
        if body.get("type") in (4, 7) and isinstance(data, dict):
            required = body["type"] == 4
            self._check_content(data, request, required=required)
            body = body | {"data": _pinging_users(data)}
        if isinstance(data, dict):
            self._check_callback(request, body["type"], data)
        answer = self._model.request(replace(request, body=body), may_read=True)
        wants = request.query.get("with_response", "").lower()
        return answer if wants in ("1", "true") else None

    def _check_callback(self, request: Request, kind: int, data: Json) -> None:
        """Raise Refused for an invalid form or list of suggestions (B2, B8)."""
        number = _digits(request.path.strip("/").split("/")[1])
        asked = self._model.interactions.get(number)
        if kind == 9 and asked is not None and asked.type == SUBMIT:
            raise refusals.invalid("type", "ENUM_TYPE_COERCE", "A form was sent.")
        if kind == 9:
            _check_form(data)
        choices = data.get("choices") or () if kind == 8 else ()
        if len(choices) > MOST_CHOICES:
            raise refusals.too_long("choices", MOST_CHOICES)
        for choice in choices:
            if not 1 <= len(choice["name"]) <= 100 or len(str(choice["value"])) > 100:
                raise refusals.too_long("name", 100)

    def _webhook_message(self, request: Request) -> Request:
        body = _object(request.body)
        self._check_content(body, request, required=request.method == "POST")
        return replace(request, body=_pinging_users(body))


def _pinging_users(body: Json) -> Json:
    if "content" not in body or body.get("allowed_mentions") is not None:
        return body
    return body | {"allowed_mentions": ONLY_USERS}


def _check_form(form: Json) -> None:
    """Raise Refused for an invalid form (B8)."""
    if not 1 <= len(form.get("title") or "") <= MOST_TITLE:
        raise refusals.too_long("title", MOST_TITLE)
    rows = form.get("components") or ()
    if not 1 <= len(rows) <= MOST_ROWS:
        raise refusals.too_long("components", MOST_ROWS)
    for row in rows:
        # Texts are beside labels, not in them (the page on components).
        if row["type"] not in (ROW, TEXT_DISPLAY, LABEL):
            raise refusals.invalid("type", "UNION_TYPE_CHOICES", "Not in a form.")
    for field in parts(rows):
        _check_field(field)


def _check_field(field: Json) -> None:
    """Raise Refused for invalid initial values of a field (B8)."""
    value = field.get("value") or ""
    most = min(MOST_TYPED, field.get("max_length") or MOST_TYPED)
    if field["type"] == 4 and len(value) > most:
        raise refusals.too_long("value", most)
    if len(field.get("placeholder") or "") > MOST_EXAMPLE:
        raise refusals.too_long("placeholder", MOST_EXAMPLE)
    if field["type"] == TEXT_DISPLAY and not 1 <= len(field["content"]) <= MOST_TEXT:
        raise refusals.too_long("content", MOST_TEXT)
    preset = field.get("default_values") or ()
    if len(preset) > (field.get("max_values") or 1):
        raise refusals.too_long("default_values", field.get("max_values") or 1)


def refuse_if_archived(channel: Channel) -> None:
    """Raise Refused if the thread is archived: its messages cannot be changed (B6)."""
    if channel.thread_metadata and channel.thread_metadata.archived:
        raise refusals.thread_archived()


def _says_something(body: Json, request: Request) -> bool:
    shown = ("embeds", "embed", "components", "sticker_ids", "poll", "attachments")
    text = body.get("content") or ""
    forward = (body.get("message_reference") or {}).get("type") == 1
    if str(text).strip() or request.files or forward:
        return True
    return any(body.get(name) for name in shown)


def _check_thread(body: Json) -> None:
    if not 1 <= len(str(body.get("name") or "")) <= 100:
        raise refusals.invalid(
            "name", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length."
        )
    if body.get("auto_archive_duration", 1440) not in (*ARCHIVE_AFTER, None):
        raise refusals.invalid(
            "auto_archive_duration",
            "BASE_TYPE_CHOICES",
            f"Value must be one of {ARCHIVE_AFTER}.",
        )


def _object(body: Any) -> Json:
    return dict(body) if isinstance(body, dict) else {}


def _number(query: Mapping[str, str], name: str, default: int) -> int:
    value = query.get(name, str(default))
    if not value.isdecimal():
        raise refusals.invalid(
            name, "NUMBER_TYPE_COERCE", f"Value {value!r} is not int."
        )
    return int(value)


def _digits(value: Any) -> int:
    return int(value) if str(value).isdecimal() else 0
