"""AWS, or what stands in for it: clients, and what they refuse as sentences."""
