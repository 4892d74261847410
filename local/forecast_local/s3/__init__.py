"""S3 where a statement of a bucket policy counts only if moto can judge it."""
