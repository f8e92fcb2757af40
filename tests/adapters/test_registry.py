"""A real engine and a real registry, with something between them on a bad day."""

import base64
import json
import os
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from docker import APIClient
from docker.utils import kwargs_from_env

from greenrun.adapters.machine import SystemClock
from greenrun.adapters.registry.login import Login
from greenrun.adapters.registry.registry import DockerRegistry
from greenrun.model.errors import CallFailed, DeadlineExceeded, GateClosed
from greenrun.model.image import Digest, Image
from greenrun.model.interfaces import Timeout
from tests.between import Between, Rule, between
from tests.fakes import FakeClock
from tests.registry import registry
from tests.tiny import tiny_layer

pytestmark = pytest.mark.docker

SOON = timedelta(seconds=20)
MISSING = Digest("sha256:" + "0" * 64)
UPLOAD, MANIFEST = r"POST .*/blobs/uploads/", r"PUT .*/manifests/"

MakeImage = Callable[..., Image]


@pytest.fixture(scope="module")
def host() -> Iterator[str]:
    with registry() as address:
        yield address


@pytest.fixture
def way(host: str) -> Iterator[Between]:
    with between(host) as made:
        yield made


@pytest.fixture
def engine() -> Iterator[APIClient]:
    with closing(APIClient(**kwargs_from_env())) as client:
        yield client


@pytest.fixture
def make(engine: APIClient) -> Iterator[MakeImage]:
    """Images of one small layer, under any name; they are gone afterwards."""
    made: list[str] = []

    def new(repository: str, tag: str = "one") -> Image:
        engine.import_image_from_data(tiny_layer(os.urandom(64)), repository=repository, tag=tag)
        found = engine.inspect_image(f"{repository}:{tag}")  # type: ignore[no-untyped-call]  # bare in the stubs
        made.append(found["Id"])
        return Image(repository, tag, Digest(found["Id"]), found["Size"], "amd64")

    yield new
    for image_id in made:
        engine.remove_image(image_id, force=True)


@pytest.fixture
def adapter() -> Iterator[DockerRegistry]:
    with closing(DockerRegistry(FakeClock())) as made:
        yield made


def watched() -> tuple[Timeout, list[str]]:
    lines: list[str] = []
    return Timeout(SOON, lines.append), lines


def error(code: str, message: str) -> str:
    return json.dumps({"errors": [{"code": code, "message": message}]})


def test_what_was_pushed_is_held_by_its_digest_and_by_its_image(
    host: str, make: MakeImage, adapter: DockerRegistry, engine: APIClient
) -> None:
    image, (timeout, lines) = make(f"{host}/team/app"), watched()
    manifest = adapter.push(image, timeout)
    assert adapter.digest(image.repository, "one") == manifest
    assert adapter.image_id(image.repository, manifest) == image.digest
    assert adapter.tags(image.repository) == {"one": manifest}
    assert lines == ["0 of 1 layers, 0.0 MB of 0.0 MB"]
    known = engine.inspect_image(str(image.digest))["RepoDigests"]  # type: ignore[no-untyped-call]  # bare in the stubs
    assert known == [f"{image.repository}@{manifest}"]


def test_progress_is_told_once_a_second(host: str, make: MakeImage) -> None:
    class HastyClock(FakeClock):
        def monotonic(self) -> timedelta:
            self.sleep(timedelta(seconds=1))
            return super().monotonic()

    lines: list[str] = []
    with closing(DockerRegistry(HastyClock())) as registry:
        registry.push(make(f"{host}/told"), Timeout(timedelta(minutes=5), lines.append))
    assert lines[-1] == "1 of 1 layers, 0.0 MB of 0.0 MB"


def test_what_is_not_there_is_none(host: str, make: MakeImage, adapter: DockerRegistry) -> None:
    image = make(f"{host}/there")
    adapter.push(image, watched()[0])
    for repository in (f"{host}/there", f"{host}/nowhere"):
        assert adapter.digest(repository, "missing") is None
        assert adapter.image_id(repository, MISSING) is None
        adapter.remove(repository, MISSING)
    assert adapter.tags(f"{host}/nowhere") == {}


def test_layers_that_exist_are_not_sent_again(
    way: Between, make: MakeImage, adapter: DockerRegistry
) -> None:
    image = make(f"{way.address}/again")
    adapter.push(image, watched()[0])
    way.asked.clear()
    adapter.push(replace(image, tag="two"), watched()[0])
    assert not [asked for asked in way.asked if asked.startswith(("POST", "PATCH"))]
    assert adapter.tags(image.repository).keys() == {"one", "two"}


def test_the_bytes_are_sent_whatever_the_image_tag_means_by_now(
    host: str, make: MakeImage, adapter: DockerRegistry
) -> None:
    image = make(f"{host}/moved")
    make(f"{host}/moved")  # takes the image tag over
    manifest = adapter.push(image, watched()[0])
    assert adapter.image_id(image.repository, manifest) == image.digest


def test_an_image_that_is_not_here_cannot_be_pushed(host: str, adapter: DockerRegistry) -> None:
    image = Image(f"{host}/gone", "one", MISSING, 1, "amd64")
    with pytest.raises(CallFailed, match=f"could not push {host}/gone:one: got no image {MISSING}"):
        adapter.push(image, watched()[0])


@pytest.mark.parametrize("status", [0, 502, 503])
def test_what_may_pass_by_itself_is_tried_again_after_growing_pauses(
    way: Between, make: MakeImage, status: int
) -> None:
    way.befall(MANIFEST, status, times=2)
    clock, (timeout, lines) = FakeClock(), watched()
    began = clock.now()
    with closing(DockerRegistry(clock)) as registry:
        registry.push(make(f"{way.address}/shaky"), timeout)
    assert clock.now() - began == timedelta(seconds=1 + 2)
    assert [line.rpartition("; ")[2] for line in lines if "; " in line] == [
        "trying again in 1 s",
        "trying again in 2 s",
    ]


def test_six_tries_in_vain_are_enough(
    way: Between, make: MakeImage, adapter: DockerRegistry
) -> None:
    way.befall(MANIFEST, 503)
    timeout = Timeout(timedelta(minutes=5))
    with pytest.raises(CallFailed, match="503 Service Unavailable, 6 times in a row") as failed:
        adapter.push(make(f"{way.address}/broken"), timeout)
    assert failed.value.hint == (
        f"see that {way.address} can be reached from here, then run again: "
        "layers that it has are not sent again"
    )


def test_patience_ends_between_tries(way: Between, make: MakeImage) -> None:
    way.befall(MANIFEST, 503)
    with (
        closing(DockerRegistry(FakeClock())) as registry,
        pytest.raises(DeadlineExceeded, match=r"waited 5 s for the push of .*/late:one") as late,
    ):
        registry.push(make(f"{way.address}/late"), Timeout(timedelta(seconds=5)))
    assert "503 Service Unavailable; trying again in 4 s" in late.value.last_seen


def test_patience_ends_while_nothing_is_answered(way: Between, make: MakeImage) -> None:
    way.befall(UPLOAD, held=True)
    with (
        closing(DockerRegistry(SystemClock())) as registry,
        pytest.raises(DeadlineExceeded) as late,
    ):
        registry.push(make(f"{way.address}/silent"), Timeout(timedelta(seconds=0.5)))
    assert late.value.last_seen == "0 of 1 layers, 0.0 MB of 0.0 MB"


REFUSALS = {
    "a repository that exists": Rule(UPLOAD, 404, error("NAME_UNKNOWN", "Repository not found")),
    "the permission": Rule(UPLOAD, 403, error("DENIED", "Permission denied on resource")),
    "credentials that it knows": Rule(UPLOAD, 401, error("UNAUTHORIZED", "authentication failed")),
    "room": Rule(UPLOAD, 500, '{"errors": [{"detail": {"Enclosed": {"Op": "write", "Err":28}}}]}'),
}


@pytest.mark.parametrize("needs", REFUSALS)
def test_a_refusal_is_told_at_once(
    way: Between, make: MakeImage, adapter: DockerRegistry, needs: str
) -> None:
    rule = replace(REFUSALS[needs], headers={"content-type": "application/json"}, times=3)
    way.rules.append(rule)
    with pytest.raises(CallFailed, match=f"could not push {way.address}/app: .* needs {needs}"):
        adapter.push(make(f"{way.address}/app"), watched()[0])
    assert rule.times > 0


def test_nobody_at_the_address(make: MakeImage, adapter: DockerRegistry) -> None:
    with pytest.raises(CallFailed, match="connection refused, 6 times in a row"):
        adapter.push(make("127.0.0.1:1/nobody"), Timeout(timedelta(minutes=5)))
    with pytest.raises(CallFailed, match="Connection refused, 4 times in a row"):
        adapter.digest("127.0.0.1:1/nobody", "one")


def test_a_host_that_nobody_knows(make: MakeImage, adapter: DockerRegistry) -> None:
    with pytest.raises(CallFailed, match="needs a host that exists"):
        adapter.push(make("registry.invalid/app"), watched()[0])
    with pytest.raises(CallFailed, match="needs a host that exists"):
        adapter.digest("registry.invalid/app", "one")


def test_an_image_tag_that_somebody_else_moves_closes_the_gate(
    way: Between, make: MakeImage, adapter: DockerRegistry
) -> None:
    way.befall("GET .*/manifests/one", 200, '{"config": {}}')
    with pytest.raises(
        GateClosed, match=r"got sha256:\w+ in the registry, needs sha256:\w+, which"
    ):
        adapter.push(make(f"{way.address}/contended"), watched()[0])


@pytest.mark.parametrize("login", [Login("release", "a b:c"), None])
def test_a_registry_that_wants_a_password(
    way: Between, make: MakeImage, login: Login | None
) -> None:
    pair = base64.b64encode(b"release:a b:c").decode()
    challenge = {"www-authenticate": 'Basic realm="here"'}
    way.befall(".", 401, headers=challenge, unless=f"Basic {pair}")
    image = make(f"{way.address}/closed")
    with closing(DockerRegistry(FakeClock(), lambda _: login)) as registry:
        if login is None:
            with pytest.raises(CallFailed, match="no basic auth credentials") as refused:
                registry.push(image, watched()[0])
            assert refused.value.hint == f"docker login {way.address}"
        else:
            manifest = registry.push(image, watched()[0])
            assert registry.image_id(image.repository, manifest) == image.digest


def test_a_registry_that_wants_a_token(way: Between, make: MakeImage) -> None:
    pair = base64.b64encode(b"release:secret").decode()
    challenge = f'Bearer realm="http://{way.address}/token",service="here",scope="s"'
    way.befall("GET /token", 401, unless=f"Basic {pair}")
    way.befall("GET /token", 200, json.dumps({"token": "the-token"}))
    way.befall(".", 401, headers={"www-authenticate": challenge}, unless="Bearer the-token")
    image = make(f"{way.address}/tokened")
    with closing(DockerRegistry(FakeClock(), lambda _: Login("release", "secret"))) as registry:
        manifest = registry.push(image, watched()[0])
        assert registry.digest(image.repository, "one") == manifest
    assert "GET /token?service=here&scope=s" in way.asked


def test_a_token_may_be_had_for_another(way: Between, adapter: DockerRegistry) -> None:
    challenge = f'Bearer realm="http://{way.address}/token",service="here"'
    way.befall("POST /token", 200, json.dumps({"access_token": "short"}))
    way.befall(".", 401, headers={"www-authenticate": challenge}, unless="Bearer short")
    login = Login(identity_token="long")
    with closing(DockerRegistry(FakeClock(), lambda _: login)) as registry:
        assert registry.tags(f"{way.address}/nowhere") == {}
    with pytest.raises(CallFailed, match="needs credentials"):
        adapter.tags(f"{way.address}/nowhere")


def test_reading_is_tried_again(way: Between, make: MakeImage, adapter: DockerRegistry) -> None:
    image = make(f"{way.address}/read")
    manifest = adapter.push(image, watched()[0])
    way.befall("GET", 503, times=2)
    way.befall("GET", times=1)
    assert adapter.digest(image.repository, "one") == manifest
    way.befall("GET", 500, "the disk is tired")
    with pytest.raises(CallFailed, match=r"HTTP 500 .* the disk is tired, 4 times in a row"):
        adapter.tags(image.repository)


def test_what_is_no_json_is_told(way: Between, adapter: DockerRegistry) -> None:
    way.befall("GET", 200, "<html>welcome</html>")
    with pytest.raises(CallFailed, match="got '<html>welcome</html>', needs JSON"):
        adapter.tags(f"{way.address}/proxy")


def test_tags_are_read_page_by_page(way: Between, make: MakeImage, adapter: DockerRegistry) -> None:
    image = make(f"{way.address}/paged")
    manifest = adapter.push(image, watched()[0])
    adapter.push(replace(image, tag="two"), watched()[0])
    following = {"link": '</v2/paged/tags/list?last=one&n=9>; rel="next"'}
    way.befall("GET .*/tags/list$", 200, '{"tags": ["one"]}', headers=following)
    assert adapter.tags(image.repository) == {"one": manifest, "two": manifest}
    assert "GET /v2/paged/tags/list?last=one&n=9" in way.asked


def test_the_image_of_an_index_is_that_for_cloud_run(
    host: str, make: MakeImage, adapter: DockerRegistry
) -> None:
    image = make(f"{host}/several")
    manifest = adapter.push(image, watched()[0])
    media_type = "application/vnd.docker.distribution.manifest.v2+json"
    index = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [
            {
                "mediaType": media_type,
                "digest": str(manifest),
                "size": 523,
                "platform": {"os": "linux", "architecture": architecture},
            }
            for architecture in ("arm64", "amd64")
        ],
    }
    written = httpx.put(
        f"http://{host}/v2/several/manifests/index",
        content=json.dumps(index),
        headers={"content-type": str(index["mediaType"])},
    )
    assert written.status_code == 201
    found = adapter.digest(image.repository, "index")
    assert found == Digest(written.headers["docker-content-digest"])
    assert adapter.image_id(image.repository, found) == image.digest


def test_a_manifest_goes_with_every_image_tag(
    host: str, make: MakeImage, adapter: DockerRegistry
) -> None:
    image, other = make(f"{host}/removed"), make(f"{host}/removed", "other")
    manifest = adapter.push(image, watched()[0])
    adapter.push(replace(image, tag="two"), watched()[0])
    kept = adapter.push(other, watched()[0])
    adapter.remove(image.repository, manifest)
    assert adapter.tags(image.repository) == {"other": kept}
    adapter.remove(image.repository, manifest)


def test_a_registry_that_wants_the_image_tags_gone_first(
    way: Between, make: MakeImage, adapter: DockerRegistry
) -> None:
    image = make(f"{way.address}/dangling")
    manifest = adapter.push(image, watched()[0])
    dangling = error("GOOGLE_MANIFEST_DANGLING_TAG", "Manifest is still referenced by tag: one")
    for _ in range(4):
        way.befall("DELETE .*/manifests/sha256:", 400, dangling, times=1)
    way.befall("DELETE .*/manifests/one", 202)
    way.asked.clear()
    adapter.remove(image.repository, manifest)
    deleted = [asked for asked in way.asked if asked.startswith("DELETE")]
    assert deleted[-2:] == [
        "DELETE /v2/dangling/manifests/one",
        f"DELETE /v2/dangling/manifests/{manifest}",
    ]
    assert adapter.tags(image.repository) == {}
