"""HTTP: transports, the session that every call goes through, retries, pages."""
