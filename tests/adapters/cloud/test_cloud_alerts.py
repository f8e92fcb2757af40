"""Alert policies through Google's own client, against the local cloud."""

from datetime import timedelta

import pytest
from google.cloud.monitoring_v3.types import AlertPolicy
from google.protobuf.field_mask_pb2 import FieldMask

from cloudrun_emulator.emulator import LocalCloud
from greenrun.adapters.gcp.clients import GoogleClients
from greenrun.adapters.gcp.monitoring.alerts import CloudAlerts
from greenrun.model.errors import CallFailed
from greenrun.model.interfaces.alerting import PolicyDifference
from greenrun.model.monitoring import ALERTABLE, Alert
from greenrun.model.objective import Quantity, Threshold
from greenrun.model.plan import Location

FIVE = timedelta(minutes=5)
ERRORS = Alert(Threshold("error rate", "at most", Quantity(5, "%")), FIVE)
VALUE = "conditions[0].condition_threshold.threshold_value"


def alert(measure: str) -> Alert:
    limit = Quantity(2000, "ms") if measure.endswith("latency") else Quantity(90, "%")
    return Alert(Threshold(measure, "at most", limit), FIVE)


@pytest.fixture
def alerts(clients: GoogleClients, place: Location) -> CloudAlerts:
    return CloudAlerts(clients, place, "web")


@pytest.fixture
def existing(clients: GoogleClients, place: Location, alerts: CloudAlerts) -> AlertPolicy:
    """The policy for too many errors, as Google's own client has it."""
    alerts.create(ERRORS)
    return only(clients, place)


def only(clients: GoogleClients, place: Location) -> AlertPolicy:
    (policy,) = clients.alerts.list_alert_policies(name=f"projects/{place.project}")
    return policy


def edit(clients: GoogleClients, policy: AlertPolicy, *fields: str) -> None:
    """As somebody does in the console."""
    clients.alerts.update_alert_policy(
        alert_policy=policy, update_mask=FieldMask(paths=list(fields))
    )


def test_there_is_none_before_it_was_created(alerts: CloudAlerts) -> None:
    assert alerts.find(ERRORS) is None


@pytest.mark.parametrize("measure", ALERTABLE)
def test_every_measure_makes_a_policy_that_the_platform_takes_and_tells_again(
    alerts: CloudAlerts, measure: str
) -> None:
    alerts.create(alert(measure))
    found = alerts.find(alert(measure))
    assert found is not None
    assert (found.differences, found.channels) == ((), ())


def test_one_alert_is_not_taken_for_another(
    alerts: CloudAlerts, clients: GoogleClients, place: Location
) -> None:
    alerts.create(ERRORS)
    assert alerts.find(alert("p99 latency")) is None
    assert CloudAlerts(clients, place, "website").find(ERRORS) is None
    elsewhere = Location(place.project, "europe-west4")
    assert CloudAlerts(clients, elsewhere, "web").find(ERRORS) is None


def test_errors_are_a_share_of_all_requests_of_one_service(existing: AlertPolicy) -> None:
    (condition,) = existing.conditions
    broken = condition.condition_threshold
    series = (
        'metric.type="run.googleapis.com/request_count" AND resource.type="cloud_run_revision" '
        'AND resource.labels.service_name="web" AND resource.labels.location="europe-west1"'
    )
    assert broken.denominator_filter == series
    assert broken.filter == f'{series} AND metric.labels.response_code_class="5xx"'
    assert broken.threshold_value == 0.05
    assert AlertPolicy.Condition.MetricThreshold.pb(broken).duration.ToTimedelta() == FIVE
    assert existing.display_name == "web (europe-west1): error rate over 5 % for 5 min"


def test_a_new_objective_is_a_difference(alerts: CloudAlerts, existing: AlertPolicy) -> None:
    strict = Alert(Threshold("error rate", "at most", Quantity(2, "%")), FIVE)
    found = alerts.find(strict)
    assert found is not None
    assert found.name == existing.name
    assert PolicyDifference(VALUE, "0.05", "0.02") in found.differences


def test_what_somebody_has_edited_is_told_field_by_field(
    alerts: CloudAlerts, clients: GoogleClients, existing: AlertPolicy
) -> None:
    existing.enabled = False  # type: ignore[assignment] # proto-plus takes Python's own for it
    existing.conditions[0].condition_threshold.threshold_value = 0.5
    edit(clients, existing, "enabled", "conditions")
    found = alerts.find(ERRORS)
    assert found is not None
    assert [str(one) for one in found.differences] == [
        f"{VALUE}: got 0.5, needs 0.05",
        "enabled: got false, needs true",
    ]


def test_a_policy_is_known_whatever_people_call_it(
    alerts: CloudAlerts, clients: GoogleClients, existing: AlertPolicy
) -> None:
    existing.display_name = "call me"
    edit(clients, existing, "display_name")
    found = alerts.find(ERRORS)
    assert found is not None
    assert [one.field for one in found.differences] == ["display_name"]


def test_what_people_set_beside_it_is_theirs_and_stays(
    alerts: CloudAlerts, clients: GoogleClients, existing: AlertPolicy, place: Location
) -> None:
    channel = f"projects/{place.project}/notificationChannels/7"
    existing.notification_channels = [channel]
    existing.user_labels["team"] = "web"
    existing.alert_strategy.auto_close = timedelta(hours=1)  # type: ignore[assignment] # proto-plus takes Python's own for it
    existing.enabled = False  # type: ignore[assignment] # proto-plus takes Python's own for it
    edit(clients, existing, "notification_channels", "user_labels", "alert_strategy", "enabled")
    found = alerts.find(ERRORS)
    assert found is not None
    assert ([one.field for one in found.differences], found.channels) == (["enabled"], (channel,))

    alerts.overwrite(found, ERRORS)
    after = only(clients, place)
    assert alerts.find(ERRORS) == type(found)(found.name, (), (channel,))
    assert (after.name, after.user_labels["team"]) == (found.name, "web")
    assert AlertPolicy.pb(after).enabled.value
    assert after.alert_strategy.auto_close == timedelta(hours=1)


def test_several_policies_for_one_alert_are_for_a_person(
    alerts: CloudAlerts, clients: GoogleClients, existing: AlertPolicy, place: Location
) -> None:
    twin = AlertPolicy(existing)
    twin.name = ""
    clients.alerts.create_alert_policy(name=f"projects/{place.project}", alert_policy=twin)
    with pytest.raises(CallFailed, match="could not tell which alert policy") as refused:
        alerts.find(ERRORS)
    assert refused.value.hint == "delete all but one of them"


def test_a_lost_answer_makes_no_second_policy(
    cloud: LocalCloud, alerts: CloudAlerts, clients: GoogleClients, place: Location
) -> None:
    with cloud.faults.add("AlertPolicyService.CreateAlertPolicy: reply lost, once") as fault:
        alerts.create(ERRORS)
    assert fault.struck == 1
    assert only(clients, place)


def test_a_creation_that_came_to_nothing_is_tried_again(
    cloud: LocalCloud, alerts: CloudAlerts, clients: GoogleClients, place: Location
) -> None:
    with cloud.faults.add("AlertPolicyService.CreateAlertPolicy: UNAVAILABLE, twice"):
        alerts.create(ERRORS)
    assert only(clients, place)


def test_a_refusal_says_what_to_ask_for(cloud: LocalCloud, alerts: CloudAlerts) -> None:
    with (
        cloud.faults.add("AlertPolicyService.CreateAlertPolicy: PERMISSION_DENIED, once") as fault,
        pytest.raises(CallFailed, match="could not create the alert policy for error rate over 5"),
    ):
        alerts.create(ERRORS)
    assert fault.struck == 1
