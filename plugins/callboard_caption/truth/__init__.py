"""Speech of which the words are known, to measure captions by."""
