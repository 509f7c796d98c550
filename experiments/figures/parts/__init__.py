"""Parts of figures: panels, lines, legends, layout, fonts and styles."""
