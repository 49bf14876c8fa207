"""Inspection of the files of data, and their thumbnails."""
