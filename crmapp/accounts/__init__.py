"""Users, roles, signing in, and the invitations by which a lead becomes a user who can."""
