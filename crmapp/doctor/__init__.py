"""`flask doctor`: whether an installation is well from end to end, and what to do about each fault."""
