"""What a run declares of its model: columns, requests, outputs and examples."""
