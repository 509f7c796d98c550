"""Which pixels matter: from masks and prompts to a map."""
