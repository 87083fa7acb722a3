"""Reports of settings and their changes."""

from functools import partial

from bot.domain.reports import ChangeReport, SettingReport
from bot.domain.scope import EVERYWHERE, Scope
from bot.domain.setting import AuditEntry, Refusal
from bot.ports.reports import ReportStore
from bot.ports.settings import AccessStore, SettingsStore
from bot.reports.labels import Labels
from bot.runtime.offload import offload
from bot.settings.options import BY_NAME
from bot.text.comparison import unified_diff

# The prefix of a version number in the audit.
_VERSION = "version "


class SettingReports:
    """Implements `bot.ports.operator_reports.SettingReports`."""

    def __init__(
        self, store: ReportStore, settings: SettingsStore, access: AccessStore
    ) -> None:
        self._store = store
        self._settings = settings
        self._access = access

    async def settings(self, within: Scope = EVERYWHERE) -> list[SettingReport]:
        """Return every setting in `within`."""
        labels = Labels(await self._store.names())
        found = []
        for each in await self._settings.list_settings(within):
            value = await self._value(each.name, each.value)
            found.append(
                SettingReport(
                    *(each.place, labels.place(each.place), each.name),
                    *(labels.value(each.place, value), each.who),
                    labels.person_name(each.place, each.who),
                    each.at,
                )
            )
        return found

    async def changes(
        self, within: Scope, since: float, most: int
    ) -> list[ChangeReport]:
        """Return at most `most` changes and recorded accesses in `within` since
        `since`, the newest first, with the texts before and after."""
        labels = Labels(await self._store.names())
        texts = _Texts(self._settings)
        found = []
        for each in await self._settings.audit(within, since, most):
            before = await self._audit_line(each, each.before, texts, labels)
            after = await self._audit_line(each, each.after, texts, labels)
            found.append(
                ChangeReport(
                    *(each.id, each.at, each.place, labels.place(each.place)),
                    *(each.who, labels.person_name(each.place, each.who)),
                    *(each.action, each.name),
                    before=before,
                    after=after,
                    diff=await _difference(before or "", after or ""),
                )
            )
        return found

    async def refusals(self, within: Scope, since: float, most: int) -> list[Refusal]:
        """Return at most `most` counted refusals in `within` since `since`."""
        return await self._settings.refusals(within, since, most)

    async def _value(self, name: str, value: str) -> str:
        option = BY_NAME.get(name)
        if option is None:
            return value
        if not option.versioned:
            return option.show(value)
        version = await self._access.version(int(value))
        return (version.text or "") if version else ""

    async def _audit_line(
        self, entry: AuditEntry, value: str | None, texts: "_Texts", labels: Labels
    ) -> str | None:
        option = BY_NAME.get(entry.name)
        if value is None or option is None:
            return value
        if option.versioned:
            number = value.removeprefix(_VERSION)
            return await texts.find(entry.place, entry.name, number) or value
        return labels.value(entry.place, option.show(value))


async def _difference(before: str, after: str) -> tuple[str, ...]:
    work = partial(unified_diff, before, after)
    return await offload(work, len(before) + len(after)) or ()


class _Texts:
    """Caches the texts of versions, which a list of changes needs repeatedly."""

    def __init__(self, settings: SettingsStore) -> None:
        self._settings = settings
        self._known: dict[tuple[Scope, str], dict[str, str]] = {}

    async def find(self, place: Scope, name: str, number: str) -> str:
        """Return the text of a version; "" if there is none."""
        if (place, name) not in self._known:
            self._known[place, name] = {
                str(each.number): each.text or ""
                for each in await self._settings.versions(place, name)
            }
        return self._known[place, name].get(number, "")
