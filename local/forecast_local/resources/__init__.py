"""The CloudFormation resource types that this AWS knows, one module per service."""
