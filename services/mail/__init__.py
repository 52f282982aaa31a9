"""Mail to people: ordered in the transaction of the act, written as a letter, handed in by a job."""
