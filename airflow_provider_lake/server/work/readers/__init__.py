"""Reading images and videos, in processes that may crash."""
