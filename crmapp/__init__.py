"""A CRM back office: leads are imported, activated, and invited by e-mail.

Nothing is imported here: gunicorn's master reads `crmapp.logs`, and must not import what gevent patches later.
"""
