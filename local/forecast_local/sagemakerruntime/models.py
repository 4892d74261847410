"""The backend of the SageMaker runtime; endpoints belong to the SageMaker backend."""

from moto.sagemakerruntime.models import SageMakerRuntimeBackend


class LocalSageMakerRuntimeBackend(SageMakerRuntimeBackend):
    """moto's runtime backend answers from a queue; here its actions ask the model servers."""
