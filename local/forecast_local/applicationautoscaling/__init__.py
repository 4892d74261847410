"""Application Auto Scaling with the checks that SageMaker variants undergo on AWS."""
