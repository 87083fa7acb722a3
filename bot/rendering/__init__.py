"""Markdown of the model to message parts within a platform's limits. Pure."""
