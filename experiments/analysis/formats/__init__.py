"""Tables as text on a terminal and in LaTeX."""
