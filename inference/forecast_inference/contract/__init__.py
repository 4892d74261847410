"""The contract between a request, the model and its answer."""
