"""Holds the parts of the adapter that belong to one workspace."""

from adapters.slack.channels import Channels
from adapters.slack.client import Identity, SlackClient
from adapters.slack.directory import SlackDirectory
from adapters.slack.display_names import DisplayNames
from adapters.slack.file_source import SlackFiles
from adapters.slack.history import MessageHistory
from adapters.slack.members import People
from adapters.slack.messages import SlackMessenger
from adapters.slack.name_cache import NameCache
from adapters.slack.native_streams import Mode, Streams
from adapters.slack.thinking_status import Status


class Workspace:
    """The client, the caches and the ports of one workspace. A rate limit or a revoked
    token of another workspace does not affect them."""

    def __init__(self, client: SlackClient, us: Identity, mode: Mode) -> None:
        self.client = client
        self.us = us
        self.names = NameCache(client)
        self.people = People(client, us.team)
        self.display_names = DisplayNames(self.names, self.people)
        self.channels = Channels(client, self.people, us.team)
        self.directory = SlackDirectory(self.people, self.channels, self.names, us)
        self.history = MessageHistory(client, us)
        self.files = SlackFiles(client)
        self.messenger = SlackMessenger(client, self.display_names)
        self.status = Status(client)
        self.streams = Streams(mode, us.user)

    @property
    def size(self) -> int:
        """The number of entries in all caches of the workspace."""
        caches = (self.names, self.people, self.channels, self.status, self.streams)
        return sum(each.size for each in caches)
