"""Segments as text in the formats of editors and annotation tools.

May import ``core``, ``prompts``, ``ground_truth`` and ``analysis``. ``lib.ground_truth`` reads the same formats.
"""
