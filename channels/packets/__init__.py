"""Packets over the air: mapping, coding, and the choice of a scheme."""
