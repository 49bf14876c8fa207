"""Processings that come with the embedded lake; each is a program of its own that works through the client."""
