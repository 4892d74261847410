"""What is watched, and whom it reaches."""
