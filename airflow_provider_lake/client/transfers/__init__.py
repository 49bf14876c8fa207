"""Transfers between local files and object storage: file checks, uploads, downloads, progress."""
