"""A reference forecaster of a produce market: data, features, model, intervals and registration."""
