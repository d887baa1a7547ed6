"""Videos, embeddings, ground truth and derived search data on disk, content-addressed (``store`` has the tree).

May import ``engines``, ``media``, ``infra`` and ``core``.
"""
