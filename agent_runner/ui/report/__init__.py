"""A run to look at: what happened as one page, for a browser or a pull request."""
