"""Resource Manager: projects, as far as their callers' permissions."""
