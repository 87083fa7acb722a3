"""The terminal: a conversation with no account and no network."""
