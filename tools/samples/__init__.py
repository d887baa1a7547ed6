"""The sample videos: one module each, which says what is on screen and when; seeds below 1,000."""
