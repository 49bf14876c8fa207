"""Local files and object storage: checks before an upload, bytes up and down, progress."""
