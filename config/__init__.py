"""Every setting, typed; nothing else reads the environment."""
