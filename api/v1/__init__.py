"""`/api/v1`: our own API, one resource a file."""
