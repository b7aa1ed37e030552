"""Bulk operations: their records, the leases under which they run, and their live progress."""
