"""The subcommands of `forecast`: what each takes from the command line, and what it prints."""
