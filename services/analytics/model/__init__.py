"""What analytics keeps and is asked for: frozen data."""
