"""Divides Markdown into messages within a platform's limits. Pure.

In: pieces of an answer as they arrive. Out: `Part`s that only grow until they are
final. Also rewrites elements that a platform cannot show (tables, images) and mentions
that would notify people.
"""
