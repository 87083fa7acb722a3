"""The store's database on a PostgreSQL server.

Rule 1: both databases use the same functions for the store's methods. This package
provides connections, threads, errors and the schema.
Rule 2: this package is imported only for a database on a server, so that Threadkeep
runs without psycopg.
"""
