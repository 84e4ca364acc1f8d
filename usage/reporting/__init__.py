"""What each key reported: records accepted, duplicate and rejected, and why."""
