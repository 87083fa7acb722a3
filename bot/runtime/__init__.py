"""The infrastructure of a long-running process: background tasks, retries, fair queues,
bounded caches, downloads, worker threads, private files, the log, text encodings.

Independent of conversations and platforms. The only package that starts tasks which
nobody awaits.
"""
