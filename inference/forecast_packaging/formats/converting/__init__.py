"""Converting: models written as ONNX graphs; it runs in the sandbox, as it loads the models."""
