"""Creates the replies to turns, which are written at the pace of their platform."""

from collections.abc import Callable, Mapping

from bot.delivery.late_writes import Corrections
from bot.delivery.reply import StreamedReply
from bot.delivery.reply_uploads import ReplyUploads
from bot.delivery.write_scheduler import WriteScheduler
from bot.domain.turn import Turn
from bot.ports.platform import Adapter, Surface
from bot.ports.store import ReplyStore
from bot.ports.uploads import UploadStore
from bot.settings.effective import EffectiveSettings


class Replies:
    """Creates replies on each of `adapters`.

    The stores do not retry, because a reply backs off by itself. `shared` says that
    other processes write, too.
    """

    def __init__(
        self,
        store: ReplyStore,
        uploads: UploadStore,
        adapters: Mapping[str, Adapter],
        corrections: Corrections,
        clock: Callable[[], float],
        now: Callable[[], float],
        *,
        shared: bool = False,
    ) -> None:
        self._store = store
        self._uploads = uploads
        self._adapters = adapters
        self.corrections = corrections
        self._clock = clock
        self._now = now
        #: The schedulers of writes, by the name of the platform.
        self.schedulers = {
            name: WriteScheduler(adapter.limits, clock, store if shared else None)
            for name, adapter in adapters.items()
        }

    def reply(
        self, turn: Turn, surface: Surface, settings: EffectiveSettings | None
    ) -> StreamedReply:
        """Return the reply to `turn` on `surface`.

        Without `settings`, the reply attaches no files.
        """
        platform, uploads = turn.thread.platform, surface.uploads
        return StreamedReply(
            turn,
            surface,
            store=self._store,
            scheduler=self.schedulers[platform],
            limits=self._adapters[platform].limits,
            uploads=ReplyUploads(turn, uploads, store=self._uploads, clock=self._clock),
            corrections=self.corrections,
            file_lines=settings.attach_lines if settings and uploads else None,
            clock=self._clock,
            now=self._now,
        )
