"""Work in the background: jobs, and what is computed after an upload."""
