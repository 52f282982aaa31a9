"""Metric series: packed, appended, read."""
