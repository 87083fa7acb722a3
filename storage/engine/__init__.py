"""Wakes the processes that share a PostgreSQL database, by Procrastinate.

Rule 1: the tables of turns and cases are the truth. A job says that something may be
there to do, and for whom; which process has a thread is said by `threads.owner`.
Rule 2: losing a job cancels nothing. Losing the thread does, at the next write.
Nothing is imported from here by name, so that Threadkeep runs where Procrastinate is
not installed.
"""
