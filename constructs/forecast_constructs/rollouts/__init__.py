"""How a new fleet takes over, and what undoes it."""
