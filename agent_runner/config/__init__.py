"""Loading, merging and checking the configuration."""
