"""Wakes the processes that share a PostgreSQL database, with Procrastinate.

Rule 1: the tables of turns and cases are authoritative. A job only says that there may
be work, and for whom; `threads.owner` says which process has a thread.
Rule 2: losing a job cancels nothing. Losing the thread cancels its turn, at the next
write.
Rule 3: this package is imported only for a database on a server, so that Threadkeep
runs without Procrastinate.
"""
