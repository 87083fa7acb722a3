"""Evaluation of triage: answers against labels, as metrics and reports."""
