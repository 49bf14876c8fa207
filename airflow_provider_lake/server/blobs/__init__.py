"""Where the lake keeps bytes."""
