"""What serves: role, model, network, endpoint configuration and endpoint."""
