"""Goals: what a person is to reach in a period, and how far they have come."""
