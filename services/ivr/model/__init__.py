"""What call flows are made of: the flow as data, what happens in a call, what is to be done."""
