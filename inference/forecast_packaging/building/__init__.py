"""Building: from a plan to an archive that has proved itself."""
