"""Work on many machines with Ray, which is optional: the only package that imports it.

May import: ``lib.services`` and what is below it.
"""
