"""Invitations: the letter by which a lead becomes a user who can sign in, its link, and sending it again."""
