"""The registry: model versions found, pinned and downloaded into a cache."""
