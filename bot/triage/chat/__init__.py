"""Triage where people talk: cases of a channel, on request and by itself."""
