"""The parts of a long-running process: background tasks, retries, fair queues, bounded
caches, downloads, work in threads, private files, the log, encodings of text.

Knows nothing of conversations or platforms. The only place that starts tasks which
nobody awaits.
"""
