"""Two or many analyses against each other.

May import ``analysis`` and what stands below it.
"""
