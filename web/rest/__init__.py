"""What all endpoints of our own API share: who asks, what they send, what they are answered, how it is documented."""
