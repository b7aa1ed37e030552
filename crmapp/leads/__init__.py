"""Leads: how they are listed, filtered and imported."""
