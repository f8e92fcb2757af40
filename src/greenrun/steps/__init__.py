"""The vocabulary: every sentence that any service's release can say, and what stands behind it."""

pytest_plugins = [
    "greenrun.steps.wiring.environment",
    "greenrun.steps.wiring.rehearsed",
    "greenrun.steps.wiring.release",
    "greenrun.steps.wiring.drills",
    "greenrun.steps.wiring.monitoring",
    "greenrun.steps.preflight",
    "greenrun.steps.candidate",
    "greenrun.steps.endpoints",
    "greenrun.steps.metrics",
    "greenrun.steps.pages",
    "greenrun.steps.openapi",
    "greenrun.steps.traffic",
    "greenrun.steps.record",
]
