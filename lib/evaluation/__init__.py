"""An analysis against ground truth, and the thresholds that follow from it.

May import ``analysis`` and what stands below it.
"""
