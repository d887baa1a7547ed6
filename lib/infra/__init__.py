"""HTTP sessions and retries, keys kept out of texts, and files written whole or not at all.

May import ``core``.
"""
