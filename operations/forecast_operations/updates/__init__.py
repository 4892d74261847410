"""What stands between a deployed template and the one that is wanted, and the way around it."""
