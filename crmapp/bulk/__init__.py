"""What is done with many leads at once: assigned, moved to a status, tagged, deleted. Each is a job."""
