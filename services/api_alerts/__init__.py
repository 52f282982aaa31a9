"""Bounds on how the API answers: who sets them, and what happens when one is exceeded."""
