"""One's own account: name, password, where one is signed in, tokens of one's programs; and the forgotten password."""
