"""Slack: receives over Socket Mode or HTTP, sends with the Web API.

In: events, slash commands, shortcuts and forms, acknowledged once they are stored. Out:
messages that are edited or streamed, modals, the Home tab. Only `client` handles the
SDK's errors. Importing this package, or `config`, does not import the SDK.
"""
