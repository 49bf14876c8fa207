"""What the lake does with the files of its data: inspection and thumbnails."""
