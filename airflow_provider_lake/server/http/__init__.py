"""The HTTP side of the lake: application, routes, schemas, pages."""
