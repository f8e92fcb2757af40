"""How charts look; imports matplotlib, so it is itself imported late."""
