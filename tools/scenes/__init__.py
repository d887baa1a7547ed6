"""Scenes drawn by code: the pictures of the sample videos and of the demo model's training."""
