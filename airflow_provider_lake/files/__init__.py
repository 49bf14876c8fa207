"""Files of the worker and of object storages: paths and URLs, searches, targets to write to."""
