"""Commands that measure the figures of docs/performance.md: speed, cost and scale.

Rule 1: the benchmarks measure `threadkeep serve` as a separate process with its real
limits, between emulators that enforce the limits of the platforms. Nothing leaves
127.0.0.1.
Rule 2: each figure is shown beside a figure to compare it with, from the same run,
because machines differ more than ratios. Nothing here passes or fails.
"""
