"""Prompt sets and settings, and their text forms.

May import ``core``.
"""
