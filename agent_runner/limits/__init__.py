"""Whether a call fits the limits, and when it will."""
