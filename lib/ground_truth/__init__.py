"""Ground truth: labelled intervals from and to text.

May import ``core``.
"""
