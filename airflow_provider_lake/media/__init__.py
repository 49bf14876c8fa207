"""Reads metadata of image and video files; used by the client and by the lake."""
