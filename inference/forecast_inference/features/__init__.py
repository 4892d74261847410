"""Features: what the model sees, the same in training and serving."""

from forecast_inference.features.rules import derive

__all__ = ["derive"]
