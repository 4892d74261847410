"""What a deployment needs before it begins: each condition looked at, none of them changed."""
