"""Every SQL statement of the lake; functions take a session and know no HTTP."""
