"""SageMaker hosting: models, endpoint configurations and endpoints that really serve."""
