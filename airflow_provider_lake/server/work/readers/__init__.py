"""Readers of images and videos, in separate processes, whose crash does not affect the lake."""
