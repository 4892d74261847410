"""What is added to the container registry."""
