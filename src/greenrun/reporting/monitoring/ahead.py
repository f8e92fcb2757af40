"""What handing over would come to, told before anything is done."""

from greenrun.model.interfaces.alerting import Alerts
from greenrun.model.monitoring import Figure
from greenrun.model.plan import Plan
from greenrun.reporting.monitoring.objectives import Objectives, alerts, figures
from greenrun.reporting.monitoring.policies import foresee

Fact = tuple[str, str]


def ahead(plan: Plan, objectives: Objectives, platform: Alerts) -> tuple[Fact, ...]:
    """What would become of each alert policy, and the limits of the alert rules.

    Nothing where release.yaml does not say what is watched. From readings alone; raises what
    handing over would raise.
    """
    monitoring = plan.monitoring
    if monitoring is None:
        return ()
    wanted = alerts(monitoring, objectives.canary)
    policies = foresee(wanted, platform, overwrite=monitoring.overwrite)
    rules = (rule for figure in figures(monitoring, objectives) for rule in _rules(figure))
    return (
        *((f"alert policy for {one.alert}", one.ahead) for one in policies),
        ("alert rules", ", ".join(rules) or "none: no figure has a limit"),
    )


def _rules(figure: Figure) -> list[str]:
    return [f"{figure.name} {one.relation} {one.limit}" for one in figure.thresholds]
