"""Listings of data: selections, pages, records, ids."""
