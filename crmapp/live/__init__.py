"""Events to browsers: what is published, how it reaches this process, and the readers' streams."""
