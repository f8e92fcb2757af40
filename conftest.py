"""What features say beside greenrun's own vocabulary."""

pytest_plugins = ["fixtures.drills", "steps.drills", "steps.sessions"]
