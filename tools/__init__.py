"""What makes the sample videos and trains the bundled demo model. Not needed at run time."""
