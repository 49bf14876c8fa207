"""Blob stores: where the lake stores bytes."""
