"""Plain values in, Dash components and figures out; nothing here knows a database or who is asking."""
