"""Threads that work for one call: a pool of them, and how their work is cancelled."""
