"""The wiring of the features: which fixtures, which sentences."""

pytest_plugins = [
    "fixtures.world",
    "fixtures.rehearsed",
    "fixtures.release",
    "fixtures.drills",
    "fixtures.monitoring",
    "steps.preflight",
    "steps.plan",
    "steps.lock",
    "steps.image",
    "steps.migration",
    "steps.candidate",
    "steps.endpoints",
    "steps.metrics",
    "steps.pages",
    "steps.openapi",
    "steps.canary",
    "steps.monitoring",
    "steps.rollback",
    "steps.record",
    "steps.drill",
]
