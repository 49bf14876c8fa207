"""Text for people: printable names, suggestions of similar names, shortened values."""
