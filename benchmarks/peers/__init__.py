"""What people would otherwise use."""
