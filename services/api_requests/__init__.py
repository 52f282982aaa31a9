"""The record of requests to the API: a journal, the rows that are made of it, and how long they stay."""
