"""A packed archive on this machine, behind the server of the container."""
