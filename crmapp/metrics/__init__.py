"""What Prometheus reads: of the requests from all processes of this gunicorn, of the rest from MongoDB."""
