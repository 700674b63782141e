"""The stack of deploy/cloudformation, created in moto, and what is expected of it."""
