"""Models: loaded with their own library from files whose digests are the recorded ones."""
