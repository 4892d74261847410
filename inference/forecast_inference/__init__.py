"""The model's runtime: what answers requests inside the serving container.

It travels in the archive as plain files and runs beside images that hold little else, so it needs
only the standard library, numpy and, when a model is loaded, that model's own library.
"""
