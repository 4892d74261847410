"""What was deployed when, by whom, and what proved it."""
