"""`carillon doctor`: looks at a running installation from outside, and says what is wrong."""
