"""What a deployment would change, in a reviewer's terms."""
