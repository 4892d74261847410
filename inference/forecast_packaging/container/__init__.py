"""The image of the project's own: its Dockerfile, its start script and its build context."""
