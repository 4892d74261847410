"""What the CDK synthesizes: the CLI that does it, the assemblies and the templates in them."""
