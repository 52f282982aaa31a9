"""What a wrong setting raises."""


class ConfigurationError(Exception):
    """A setting that cannot be worked with; its text is one sentence for the person at the terminal."""
