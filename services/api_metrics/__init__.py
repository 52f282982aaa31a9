"""How the API is used: hours, days and weeks that add up, percentiles that can be merged, counts for Prometheus."""
