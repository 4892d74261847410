"""What an environment costs: prices, estimates, differences, and advice on its size."""
