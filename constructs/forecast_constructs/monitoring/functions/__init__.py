"""Code that AWS Lambda runs: the standard library and boto3 only, nothing of this package."""
