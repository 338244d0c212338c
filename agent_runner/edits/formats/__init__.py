"""One file per edit format."""
