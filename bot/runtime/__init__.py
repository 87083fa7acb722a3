"""What any part needs to run in one process: background tasks, retries, queues, bounded
caches, private files, logs.
"""
