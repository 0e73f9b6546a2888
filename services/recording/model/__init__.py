"""What recordings are made of: frozen data, and the names of what can go wrong."""
