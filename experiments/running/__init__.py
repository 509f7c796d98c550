"""The run: its tasks, the pool that does them, and when enough has been drawn."""
