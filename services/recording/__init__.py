"""Recordings: segments in, evidence out."""
