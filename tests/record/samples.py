"""Records as a release leaves them, with every fact that there can be."""

from dataclasses import replace
from datetime import UTC, datetime

from greenrun.model.objective import Quantity
from greenrun.model.results import ScenarioResult
from greenrun.reporting.record.record import (
    AS_BEFORE,
    RELEASED,
    Record,
    RecordedCounts,
    RecordedPolicy,
    RecordedStep,
)

STARTED = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
PASSED = (
    "passed after 2,400 requests: 3 of 1,200 candidate requests failed, "
    "2 of 1,200 baseline requests, by our own probes"
)

RELEASE = Record(
    run="20261121-080000-7f3a",
    outcome=RELEASED,
    exit_status=None,
    next="Nothing: the candidate serves every user.",
    service="shop",
    environment="prod",
    project="shop-469005",
    region="europe-west1",
    url="https://shop-abc-ew.a.run.app",
    started=STARTED,
    ended=datetime(2026, 11, 21, 8, 12, 30, tzinfo=UTC),
    seconds=750.0,
    commit="c0ffee" * 6 + "c0ff",
    branch="main",
    subjects=("Sum the costs | by <user>", "Add the shop"),
    image="registry.test/shop@sha256:" + "b" * 64,
    repository="registry.test/shop",
    image_tag="shop-20261121-075500",
    image_id="sha256:" + "a" * 64,
    manifest="sha256:" + "b" * 64,
    pushed=True,
    baseline="shop-20261120-101500",
    candidate="shop-20261121-080000",
    ready_seconds=52.04,
    traffic="100 % shop-20261121-080000, 0 % shop-20261121-080000 (revision tag candidate)",
    steps=(
        RecordedStep(
            share=10,
            verdict="pass",
            judged=PASSED,
            seconds=64.0,
            counted=(
                RecordedCounts(
                    by="our own probes",
                    candidate={"requests": Quantity(1200.0), "p99 latency": Quantity(412.0, "ms")},
                    baseline={"requests": Quantity(1200.0), "p99 latency": Quantity(398.2, "ms")},
                ),
                RecordedCounts(
                    by="the platform's metrics",
                    candidate={"requests": Quantity(214.0), "p99 latency": Quantity(420.0, "ms")},
                    baseline={"requests": Quantity(0.0), "p99 latency": None},
                ),
            ),
        ),
    ),
    alert_policies=(
        RecordedPolicy("error rate over 5 % for 5 min", "created"),
        RecordedPolicy(
            "p99 latency over 2000 ms for 5 min",
            "edited by somebody, and left so",
            ("enabled: got false, needs true",),
        ),
    ),
    migrations_before=("20250901_create_schema.sql",),
    migrations=("20250901_create_schema.sql", "20251009_enrich_costs.sql"),
    contracted=False,
    promise="roll back",
    checks=(
        ScenarioResult("local", "One image, built once", "The image is built", "passed", 41.26),
        ScenarioResult("prod", "Candidate", "Every endpoint answers", "passed", 3.04),
        ScenarioResult(
            *("prod", "The way back", "Users are sent back", "skipped", 0.0),
            reason="not needed, the release succeeded",
        ),
    ),
    problems=(),
    roll_back="pytest features/07-rollback.feature --env=prod",
    rollback="gcloud run services update-traffic shop --to-revisions=shop-20261120-101500=100 "
    "--project=shop-469005 --region=europe-west1",
    lease=7,
    journal="journal-prod.jsonl",
    document="docs/deployments/2026-11-21-deploy-20261121-080000.md",
)

STOPPED = replace(
    RELEASE,
    run="20261121-090000-11aa",
    outcome=AS_BEFORE,
    exit_status=1,
    next="Fix what is named as a problem, then release again.",
    url="",
    seconds=3.0,
    branch="",
    subjects=(),
    image="",
    image_tag="",
    image_id="",
    manifest="",
    pushed=False,
    baseline="",
    candidate="",
    ready_seconds=None,
    traffic="unknown: the platform did not answer",
    steps=(),
    alert_policies=(),
    migrations_before=None,
    migrations=None,
    promise="",
    checks=(
        ScenarioResult(
            *("prod", "Nothing starts on a doubt", "The way back is known", "failed", 3.0),
            reason="shop is split: got 60 % a, 40 % b, needs one revision at 100 %",
        ),
    ),
    problems=(
        (
            "prod: Nothing starts on a doubt: The way back is known: "
            "shop is split: got 60 % a, 40 % b, needs one revision at 100 %"
        ),
    ),
    rollback="",
    lease=None,
    document="docs/deployments/2026-11-21-deploy-080000.md",
)
"""Stopped before anything was known."""
