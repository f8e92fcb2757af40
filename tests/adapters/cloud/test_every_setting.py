"""A service with every setting, released with a release.yaml that says nothing of them.

Read back through the official client: what differs afterwards is the image, the name of the
revision and the traffic.
"""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from google.cloud import run_v2
from google.protobuf.json_format import MessageToDict

from greenrun.adapters.gcp.run.to_proto import template_of, write_service_settings
from greenrun.config import load_plan
from greenrun.model.revision import ContainerProbe, RevisionSettings, SecretReference
from greenrun.release import manual
from greenrun.release.release import Release
from greenrun.steps.wiring.adapters import Adapters
from tests.adapters.every_setting import REVISION, SECOND, SERVICE
from tests.campaign.programs import HEALTHY, reference
from tests.campaign.shop import PLACE, Shop
from tests.campaign.shop import SERVICE as NAME
from tests.fakes.images import MANIFEST
from tests.stages import begun

SMALLEST = f"""\
service: {NAME}
build: {{repository: registry.test/{HEALTHY}}}
environments:
  prod: {{project: {PLACE.project}, region: {PLACE.region}}}
"""
ASKED = ContainerProbe(type="http", path="/api/health", period=SECOND, failure_threshold=5)
LIVE = replace(
    REVISION,
    command=(HEALTHY,),
    # What the programs of these tests can answer: one port, HTTP/1.1, no gRPC.
    port=8080,
    use_http2=False,
    startup_probe=replace(ASKED, headers={"x-probe": "yes"}, timeout=SECOND),
    liveness_probe=replace(ASKED, period=60 * SECOND),
    readiness_probe=replace(ASKED, period=60 * SECOND),
    secrets={
        name: replace(it, secret="api-token", version="1") for name, it in REVISION.secrets.items()
    },
    containers={
        "proxy": replace(
            REVISION.containers["proxy"],
            image=reference(HEALTHY),
            command=(HEALTHY,),
            startup_probe=replace(ASKED, port=9000),
            secrets={"PROXY_TOKEN": SecretReference("api-token", "1")},
        )
    },
)


def by_hand(template: run_v2.RevisionTemplate) -> run_v2.RevisionTemplate:
    """The same with things that no flag of gcloud knows."""
    main = next(it for it in template.containers if it.ports)
    main.working_dir = "/srv"
    main.volume_mounts[0].sub_path = "deep"
    template.annotations["example.com/owner"] = "somebody"
    template.service_mesh.mesh = f"projects/{PLACE.project}/locations/global/meshes/one"
    return template


def service(shop: Shop) -> run_v2.Service:
    return shop.clients.services.get_service(name=f"{PLACE.parent}/services/{NAME}")


def revision(shop: Shop, name: str) -> dict[str, object]:
    """What a Revision tells of itself, but for what it is by its name, its image and its time."""
    found = shop.clients.revisions.get_revision(
        name=f"{PLACE.parent}/services/{NAME}/revisions/{name}"
    )
    main = next(it for it in found.containers if it.ports)
    main.image = ""
    told = MessageToDict(run_v2.Revision.pb(found))
    own = ("name", "uid", "createTime", "updateTime", "conditions", "logUri", "etag", "generation")
    return {key: text for key, text in told.items() if key not in {*own, "observedGeneration"}}


def of_service(shop: Shop) -> dict[str, object]:
    told = MessageToDict(run_v2.Service.pb(service(shop)))
    kept = (
        *("description", "labels", "annotations", "ingress", "binaryAuthorization", "scaling"),
        *("invokerIamDisabled", "defaultUriDisabled", "customAudiences", "launchStage"),
    )
    return {key: told.get(key) for key in kept}


@pytest.fixture
def shop() -> Iterator[Shop]:
    with Shop.opened() as (_, shop):
        live = service(shop)
        live.template = by_hand(template_of(LIVE, reference(HEALTHY)))
        live.template.revision = "shop-everything"
        live.traffic = [run_v2.TrafficTarget(type_=2, revision="shop-everything", percent=100)]
        write_service_settings(
            replace(SERVICE, ingress="all", binary_authorization=None, breakglass=None), live
        )
        shop.clients.services.update_service(service=live).result(timeout=60)  # type: ignore[no-untyped-call] # bare there
        experiment = service(shop)
        experiment.template = template_of(
            RevisionSettings(cpu="8", memory="32Gi", update_variables={"TRY": "1"}),
            reference(HEALTHY),
            experiment.template,
        )
        experiment.template.revision = "shop-experiment"
        shop.clients.services.update_service(service=experiment).result(timeout=60)  # type: ignore[no-untyped-call] # bare there
        yield shop


@pytest.fixture
def release(shop: Shop, tmp_path: Path) -> Iterator[Release]:
    (tmp_path / "release.yaml").write_text(SMALLEST)
    smallest = load_plan(tmp_path, "prod")
    assert smallest.settings == RevisionSettings()
    with shop.releasing("one") as release:
        release.plan = replace(
            release.plan, settings=smallest.settings, service_settings=smallest.service_settings
        )
        yield release
        release.guard.lock.release()


def test_not_one_setting_differs_after_a_release_that_names_none(
    shop: Shop, release: Release
) -> None:
    before, of_before = revision(shop, "shop-everything"), of_service(shop)
    begun(release)
    release.push_image()
    release.deploy()
    release.promote()
    assert revision(shop, release.candidate.name) == before
    assert of_service(shop) == of_before
    assert shop.answering() == {release.candidate.name}


def test_secrets_that_are_kept_are_known_to_whoever_hides_them(
    shop: Shop, release: Release
) -> None:
    told: list[str] = []
    with closing(Adapters.at_emulator(shop.address, str)) as adapters:
        kept = adapters.with_what_is_kept(release.plan, told.append)
        nobody = replace(release.plan, service="nobody")
        assert adapters.with_what_is_kept(nobody, told.append).settings.every_secret == {}
    assert kept.settings.every_secret == LIVE.every_secret
    assert told == []


def test_not_one_setting_differs_after_an_image_is_sent_everybody_by_its_digest(
    shop: Shop, release: Release
) -> None:
    serving = next(iter(shop.reading.resolved.serving))
    before, of_before = revision(shop, serving), of_service(shop)
    name = manual.send_back(release, asked_for=True, to=f"{MANIFEST}", unlock=True)
    assert name != serving
    assert revision(shop, name) == before
    assert of_service(shop) == of_before
