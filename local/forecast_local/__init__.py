"""An AWS on this machine: moto's server with what moto lacks for the forecast stacks."""
