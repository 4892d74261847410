"""CloudFormation with an engine of its own behind moto's wire protocol."""
