"""What the pages of a team show: rows with what the reader may do with them, one module per page."""
