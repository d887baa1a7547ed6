"""One analysis: vectors -> scores -> segments -> metrics.

May import ``prompts``, ``ground_truth`` and ``core``.
"""
