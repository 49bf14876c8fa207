"""The wire as the lake sees it: bodies and answers."""
