"""Makes messages with more than text from their wire format (B5.2)."""

from tests.emulators.discord.model import (
    Channel,
    Json,
    Message,
    MessageSticker,
    Model,
    Poll,
    PollAnswer,
)


def message(model: Model, channel: Channel, author: int, body: Json) -> Message:
    """Return a message of `author` with the content of `body`, which is not posted
    yet."""
    content = body.get("content") or ""
    # The model refuses an empty message, and looks for mentions in the text only.
    made = model.starter(channel.id, author, content or "-")
    made.content = content
    made.type = body.get("type", 0)
    made.flags = body.get("flags", 0)
    made.embeds = list(body.get("embeds") or ())
    made.components = list(body.get("components") or ())
    made.attachments = list(body.get("attachments") or ())
    made.reference = body.get("message_reference")
    made.snapshots = list(body.get("message_snapshots") or ())
    made.stickers = [
        MessageSticker(int(each["id"]), each["name"], each["format_type"], 0)
        for each in body.get("sticker_items") or ()
    ]
    if "webhook_id" in body:
        made.webhook_id = int(body["webhook_id"])
    if "poll" in body:
        made.poll = _poll(body["poll"])
    return made


def _poll(body: Json) -> Poll:
    results = body.get("results") or {}
    return Poll(
        question=body["question"]["text"],
        answers=[
            PollAnswer(
                each["answer_id"],
                each["poll_media"].get("text"),
                (each["poll_media"].get("emoji") or {}).get("name"),
            )
            for each in body["answers"]
        ],
        expiry=body["expiry"],
        allow_multiselect=body["allow_multiselect"],
        finalized=results.get("is_finalized", False),
        # The body has the number of voters only.
        votes={
            each["id"]: set(range(each["count"]))
            for each in results.get("answer_counts", ())
        },
    )
