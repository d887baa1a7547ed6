"""Errors, time, sampling, samples, intervals and validation; no I/O.

May import: nothing of this project.
"""
