"""One poller for all that a triggerer waits for on one connection."""
