"""How many instances serve, and when."""
