"""Base types, the engine and `transaction()`."""
