"""Commands that measure the figures of docs/performance.md: speed, cost and scale.

Rule 1: what is measured is `threadkeep serve`, a process of its own with its real
limits, between emulators that enforce the platforms'. Nothing leaves 127.0.0.1.
Rule 2: a figure stands beside what it is to be compared with, from the same run:
machines differ, ratios less so. Nothing here passes or fails.
"""
