"""What gunicorn and `flask` load."""

from crmapp import create_app

app = create_app()
