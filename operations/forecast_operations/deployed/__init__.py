"""What is deployed, as AWS says it: stacks, endpoint, alarms and scaling of an environment."""
