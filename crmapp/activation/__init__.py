"""Activation: leads become users and are invited."""
