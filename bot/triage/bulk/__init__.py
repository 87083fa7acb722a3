"""Triage of files: tickets in, answers out, in single calls or batches.

In: CSV or JSON, a scheme, a model, a budget. Out: the rows with their fields, as files
or Python values. Every answer is stored in the archive as it arrives, so a run can be
resumed.
"""
