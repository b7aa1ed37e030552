"""The people who have an account: their list, and what administrators do with them."""
