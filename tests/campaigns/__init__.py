"""Campaigns: they take too long for the suite and have make targets of their own."""
