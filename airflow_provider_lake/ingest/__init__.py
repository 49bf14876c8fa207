"""Uploads the files of a task as data of the lake."""
