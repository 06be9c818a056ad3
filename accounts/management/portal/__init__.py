"""What `manage.py portal` can do, a module for each kind of thing."""
