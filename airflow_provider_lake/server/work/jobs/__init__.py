"""Jobs of the lake: imports and processings."""
