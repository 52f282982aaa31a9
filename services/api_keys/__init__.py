"""API keys: their form, their life, and who a key speaks for."""
