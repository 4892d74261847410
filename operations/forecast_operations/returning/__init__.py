"""Returns: an environment back to what was verified before, from archives that were kept."""
