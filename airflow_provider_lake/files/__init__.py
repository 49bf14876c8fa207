"""Files on the worker and in object storages: paths and URLs, searches, and targets to write to."""
