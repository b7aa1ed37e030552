"""The journal: what was spoken with leads, and when."""
