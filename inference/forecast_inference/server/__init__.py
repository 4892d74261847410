"""The project's own model server: SageMaker's container contract."""
