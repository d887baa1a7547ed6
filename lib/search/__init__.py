"""Search without a store: the query, its vector, moments, and how scores are distributed.

May import ``analysis`` and what stands below it.
"""
