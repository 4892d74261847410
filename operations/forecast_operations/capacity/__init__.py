"""From a history of requests to the scheduled actions that would have served it."""
