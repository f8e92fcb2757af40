"""The wiring of the features: which fixtures, which sentences."""

pytest_plugins = [
    "fixtures.world",
    "fixtures.release",
    "fixtures.drills",
    "steps.preflight",
    "steps.image",
    "steps.migration",
    "steps.candidate",
    "steps.endpoints",
    "steps.canary",
    "steps.rollback",
    "steps.record",
    "steps.drill",
]
