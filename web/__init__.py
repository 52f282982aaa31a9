"""What pages and API share: who is asking, what they may do, and what every answer carries."""
