"""The numbers of our advisory locks on PostgreSQL.

Rule: every number is in this list, so that no two uses share one.
"""

# Distinguishes our locks from those of other programs on the same database: the first
# four letters of "threadkeep".
OURS = 0x74687265

#: Held while the schema is changed; held shared while the schema is read.
SCHEMA = 1

#: Held shared by every running process; held exclusively during a move.
RUNNING = 2

#: Held while the search index is changed, until the end of the transaction.
INDEX = 3

#: Held by the one process that watches the others.
REAPER = 5

#: The first half of the lock that each process holds. The second half is made from the
#: process id in the store.
PROCESSES = OURS + 1
