"""From the files of a task to data of the lake."""
