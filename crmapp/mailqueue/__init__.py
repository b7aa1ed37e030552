"""The e-mail queue in MongoDB, and the sender that empties it."""
