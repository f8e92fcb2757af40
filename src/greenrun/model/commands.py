"""Commands that people are told to give."""

from greenrun.model.plan import Plan


def send_back(plan: Plan) -> str:
    """Has greenrun send every user back to the baseline of the last release."""
    return f"pytest features/07-rollback.feature --env={plan.environment}"


def settle(plan: Plan) -> str:
    """Has greenrun send every user to a revision; nothing of an earlier release is open then."""
    return f"{send_back(plan)} --to=REVISION"


def send_all_to(plan: Plan, revision: str) -> str:
    """The same without greenrun."""
    return (
        f"gcloud run services update-traffic {plan.service} --to-revisions={revision}=100 "
        f"--project={plan.place.project} --region={plan.place.region}"
    )
