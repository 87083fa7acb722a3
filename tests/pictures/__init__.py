"""Draws what the platforms would show, from the payloads that they were sent.

`python -m tests.pictures` runs Threadkeep against the emulators, draws what came of
it as pages, and photographs them with headless Chromium for the docs.
"""
