"""Experiments: who sees them, lists, one of them, their life and their changes."""
