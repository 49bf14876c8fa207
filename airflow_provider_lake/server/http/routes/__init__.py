"""What the lake answers over HTTP: parse, call, answer."""
