"""Images by name: folders, Kodak, and the photos that come along."""
