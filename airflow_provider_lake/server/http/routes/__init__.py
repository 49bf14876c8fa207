"""The HTTP routes: parse the request, call, respond."""
