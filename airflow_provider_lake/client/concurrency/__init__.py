"""Threads that work for one call: a pool of them, and how they are told to stop."""
