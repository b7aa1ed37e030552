"""Files of leads: brought, looked at, imported as a job, undone; and leads as a file."""
