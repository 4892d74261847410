"""The SageMaker runtime API: invocations of the model servers, their metrics and capture."""
