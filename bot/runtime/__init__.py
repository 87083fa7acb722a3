"""What any room needs to run in one process: background tasks, retries, fair queues,
bounded caches, private files, logs."""
