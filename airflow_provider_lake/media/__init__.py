"""What files of images and videos tell of themselves; client and lake both read it."""
