"""Describes the state of the emulator, for a test that hangs."""

from collections.abc import Iterator

from tests.emulators.slack.api import Api
from tests.emulators.slack.socketmode import SocketMode
from tests.emulators.slack.views import Views
from tests.emulators.slack.world import World


def dump(world: World, views: Views, api: Api, socket: SocketMode) -> str:
    """Return all messages, open views, failed calls and unacknowledged deliveries as
    text."""
    return "\n".join(_lines(world, views, api, socket))


def _lines(world: World, views: Views, api: Api, socket: SocketMode) -> Iterator[str]:
    yield f"connections: {len(socket.connections)} of {socket.opened}"
    for channel in world.channels.values():
        yield f"in {channel.id} {channel.name}:"
        for message in world.messages[channel.id].values():
            indent = "      " if message.thread_ts else "  "
            yield f"{indent}{message.ts} {world.line(message)}"
    for whisper in world.ephemeral:
        seen = "" if whisper.shown and not whisper.gone else " (not shown)"
        yield f"to {whisper.user} in {whisper.channel}{seen}: {whisper.text}"
    for user in world.users:
        for view in views.stack(user):
            yield f"before {user}: {view.id} {view.given.get('title')} {view.errors}"
    yield f"refused: {dict(api.refused)}; the last calls:"
    for call in api.calls[-10:]:
        yield f"  {call.at:.3f} {call.method} {call.outcome}"
    if socket.http.url:
        yield f"posted to {socket.http.url}; the last requests:"
        for each in socket.http.posts[-10:]:
            yield f"  {each.at:.3f} {each.kind} {each.status} {each.failure}"
    yield "not acknowledged:"
    for delivery in socket.deliveries:
        if not delivery.acked:
            kind = delivery.event.get("type", delivery.type)
            state = "lost" if delivery.lost else f"{len(delivery.attempts)} sent"
            yield f"  {kind} {delivery.event.get('ts', '')} {state}"
