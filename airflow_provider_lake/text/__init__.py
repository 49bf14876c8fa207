"""Text for people: what can be printed, names that are close to others, values shown short."""
