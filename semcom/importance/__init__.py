"""From masks and prompts to an importance map."""
