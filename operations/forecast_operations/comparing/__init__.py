"""A challenger beside its champion: traffic, forecasts and accuracy, and what follows from them."""
