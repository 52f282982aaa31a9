"""How many requests somebody may make: the generic cell rate algorithm, and the places where its one number is kept."""
