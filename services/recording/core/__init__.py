"""Pure decisions about recordings: what is whole, what is missing, how it sounds."""
