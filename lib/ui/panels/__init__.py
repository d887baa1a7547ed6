"""Parts of a page that several pages draw.

May import ``components`` and what stands below it.
"""
