"""Readers that turn the files of other tools into plain runs; what they read is hostile until checked."""
