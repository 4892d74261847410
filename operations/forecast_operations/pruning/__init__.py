"""What deployments leave behind, and its removal."""
