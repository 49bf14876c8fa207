"""Background work: registrations, jobs, and the inspection and thumbnails of new data."""
