"""The Matrix page.

May import ``panels`` and what stands below it; no other page.
"""
