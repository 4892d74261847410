"""What an archive carries for those who call it: golden requests, an API document and clients."""
