"""What is on disk: journal, snapshot, blobs, lock."""
