"""A lead's page: what is known of them, changing it, and what has happened."""
