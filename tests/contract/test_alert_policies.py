"""Alert policies, as a stranger with the official client alone has them."""

from collections.abc import Iterator
from itertools import count
from typing import Any

import grpc
import pytest
from google.api_core import exceptions
from google.cloud.monitoring_v3 import AlertPolicyServiceClient
from google.cloud.monitoring_v3.services.alert_policy_service.transports import (
    AlertPolicyServiceGrpcTransport,
)
from google.cloud.monitoring_v3.types import AlertPolicy
from google.protobuf.field_mask_pb2 import FieldMask

from cloudrun_emulator.emulator import LocalCloud

_numbers = count(1)
SERIES = 'resource.type="cloud_run_revision" AND resource.labels.service_name="web"'
COUNTS = f'metric.type="run.googleapis.com/request_count" AND {SERIES}'
LATENCIES = f'metric.type="run.googleapis.com/request_latencies" AND {SERIES}'
MINUTE = {"seconds": 60}
RATE = {"alignment_period": MINUTE, "per_series_aligner": "ALIGN_RATE"}
P99 = {
    "alignment_period": MINUTE,
    "per_series_aligner": "ALIGN_DELTA",
    "cross_series_reducer": "REDUCE_PERCENTILE_99",
}


@pytest.fixture(scope="module", params=["in-process"])
def runtime_name(request: pytest.FixtureRequest) -> str:
    """Policies have nothing to do with containers."""
    return str(request.param)


@pytest.fixture
def client(cloud: LocalCloud) -> Iterator[AlertPolicyServiceClient]:
    channel = grpc.insecure_channel(cloud.grpc)
    transport = AlertPolicyServiceGrpcTransport(channel=channel)
    with AlertPolicyServiceClient(transport=transport) as client:
        yield client


@pytest.fixture
def project() -> str:
    return f"projects/alerting-{next(_numbers)}"


def threshold(**changed: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of MetricThreshold
    given = {
        "filter": COUNTS,
        "aggregations": [RATE],
        "comparison": "COMPARISON_GT",
        "threshold_value": 0.05,
        "duration": {"seconds": 300},
    }
    return {**given, **changed}


def policy(*, condition: Any = None, **changed: Any) -> AlertPolicy:  # noqa: ANN401 - fields of AlertPolicy
    one = {"display_name": "too many", "condition_threshold": condition or threshold()}
    given = {"display_name": "errors", "combiner": "OR", "conditions": [one], **changed}
    return AlertPolicy(given)


def test_a_policy_is_created_read_and_deleted(
    client: AlertPolicyServiceClient, project: str
) -> None:
    documentation = {"content": "look at the revisions"}
    created = client.create_alert_policy(
        name=project, alert_policy=policy(documentation=documentation, user_labels={"team": "web"})
    )
    assert created.name.startswith(f"{project}/alertPolicies/")
    assert created.conditions[0].name.startswith(f"{created.name}/conditions/")
    assert (bool(created.enabled), created.documentation.mime_type) == (True, "text/markdown")
    assert client.get_alert_policy(name=created.name) == created

    client.delete_alert_policy(name=created.name)
    with pytest.raises(exceptions.NotFound):
        client.get_alert_policy(name=created.name)
    with pytest.raises(exceptions.NotFound):
        client.delete_alert_policy(name=created.name)


def test_policies_of_one_project_are_listed_a_page_at_a_time(
    client: AlertPolicyServiceClient, project: str
) -> None:
    made = [client.create_alert_policy(name=project, alert_policy=policy()) for _ in range(3)]
    client.create_alert_policy(name=f"{project}-too", alert_policy=policy())
    pages = list(client.list_alert_policies({"name": project, "page_size": 2}).pages)
    assert [len(page.alert_policies) for page in pages] == [2, 1]
    assert {one.name for page in pages for one in page.alert_policies} == {one.name for one in made}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('user_labels.team="web"', ["errors"]),
        ('user_labels="team"', ["errors", "others"]),
        ('display_name:"oth"', ["others"]),
        ('NOT display_name="errors"', ["others"]),
    ],
)
def test_a_filter_selects_by_name_and_label(
    client: AlertPolicyServiceClient, project: str, text: str, found: list[str]
) -> None:
    for name, team in (("errors", "web"), ("others", "data")):
        made = policy(display_name=name, user_labels={"team": team})
        client.create_alert_policy(name=project, alert_policy=made)
    listed = client.list_alert_policies({"name": project, "filter": text})
    assert sorted(one.display_name for one in listed) == found


def test_a_mask_replaces_its_fields_and_no_other(
    client: AlertPolicyServiceClient, project: str
) -> None:
    channels = [f"{project}/notificationChannels/1"]
    made = client.create_alert_policy(
        name=project, alert_policy=policy(notification_channels=channels)
    )
    wanted = AlertPolicy(name=made.name, display_name="renamed", notification_channels=[])
    updated = client.update_alert_policy(
        alert_policy=wanted, update_mask=FieldMask(paths=["display_name"])
    )
    assert (updated.display_name, list(updated.notification_channels)) == ("renamed", channels)
    assert updated.conditions == made.conditions
    assert updated.creation_record == made.creation_record


def test_without_a_mask_the_whole_policy_is_replaced(
    client: AlertPolicyServiceClient, project: str
) -> None:
    labelled = policy(user_labels={"team": "web"})
    made = client.create_alert_policy(name=project, alert_policy=labelled)
    updated = client.update_alert_policy(alert_policy=policy(name=made.name))
    assert (updated.name, dict(updated.user_labels)) == (made.name, {})
    assert updated.conditions[0].name != made.conditions[0].name


def test_an_unknown_field_in_a_mask_is_refused(
    client: AlertPolicyServiceClient, project: str
) -> None:
    made = client.create_alert_policy(name=project, alert_policy=policy())
    with pytest.raises(exceptions.InvalidArgument, match="Invalid update mask 'colour'"):
        client.update_alert_policy(alert_policy=made, update_mask=FieldMask(paths=["colour"]))


REFUSED = {
    'display_name had an invalid value of ""': policy(display_name=""),
    "combiner had an invalid value": policy(combiner="COMBINE_UNSPECIFIED"),
    "conditions had an invalid value": policy(conditions=[]),
    'condition_case had an invalid value of "0": Condition subtype': policy(
        conditions=[{"display_name": "empty"}]
    ),
    'duration had an invalid value of "90s": only multiples of 1 minute': policy(
        condition=threshold(duration={"seconds": 90})
    ),
    'must specify a restriction on "resource.type" in the filter': policy(
        condition=threshold(filter='metric.type="run.googleapis.com/request_count"')
    ),
    "alignment period must be in multiples of one minute": policy(
        condition=threshold(aggregations=[{**RATE, "alignment_period": {"seconds": 450}}])
    ),
    "cannot be applied to metrics with kind DELTA and value type DISTRIBUTION": policy(
        condition=threshold(filter=LATENCIES)
    ),
    "must be numeric, not of value type DISTRIBUTION": policy(
        condition=threshold(
            filter=LATENCIES, aggregations=[{**P99, "cross_series_reducer": "REDUCE_SUM"}]
        )
    ),
    "only COMPARISON_GT and COMPARISON_LT are supported": policy(
        condition=threshold(comparison="COMPARISON_EQ")
    ),
    "evaluation_missing_data must have a non-zero duration": policy(
        condition=threshold(duration={}, evaluation_missing_data="EVALUATION_MISSING_DATA_INACTIVE")
    ),
    "must not specify a notification rate limit": policy(
        alert_strategy={"notification_rate_limit": {"period": {"seconds": 3600}}}
    ),
    "keys begin with a letter": policy(user_labels={"Team": "web"}),
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_is_no_policy_is_refused_in_the_words_of_the_service(
    client: AlertPolicyServiceClient, project: str, message: str
) -> None:
    with pytest.raises(exceptions.InvalidArgument) as refused:
        client.create_alert_policy(name=project, alert_policy=REFUSED[message])
    assert message in refused.value.message
    assert list(client.list_alert_policies(name=project)) == []


def test_a_metric_that_nobody_knows_is_not_found(
    client: AlertPolicyServiceClient, project: str
) -> None:
    unknown = threshold(filter=f'metric.type="run.googleapis.com/coffee" AND {SERIES}')
    with pytest.raises(exceptions.NotFound, match="Cannot find metric"):
        client.create_alert_policy(name=project, alert_policy=policy(condition=unknown))


def test_a_quantile_of_latencies_is_a_number(
    client: AlertPolicyServiceClient, project: str
) -> None:
    slow = threshold(filter=LATENCIES, aggregations=[P99], threshold_value=2000)
    made = client.create_alert_policy(name=project, alert_policy=policy(condition=slow))
    assert made.conditions[0].condition_threshold.threshold_value == 2000


def test_an_update_that_makes_no_policy_changes_nothing(
    client: AlertPolicyServiceClient, project: str
) -> None:
    made = client.create_alert_policy(name=project, alert_policy=policy())
    broken = AlertPolicy(name=made.name, conditions=[])
    with pytest.raises(exceptions.InvalidArgument):
        client.update_alert_policy(alert_policy=broken, update_mask=FieldMask(paths=["conditions"]))
    assert client.get_alert_policy(name=made.name) == made
