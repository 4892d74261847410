"""What is stored: the artifact bucket, its key, and the log groups."""
