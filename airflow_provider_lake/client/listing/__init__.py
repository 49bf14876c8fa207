"""Lists of data: which data are selected, page by page, as records or as ids."""
