"""Triage of files: tickets in, answers out, at once or as a batch."""
