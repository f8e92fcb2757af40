"""An image is judged by its platform, its budgets, and what it gives away."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from greenrun.adapters.secrets.scan import DetectSecrets
from greenrun.checks import image
from greenrun.model.errors import GateClosed
from greenrun.model.image import Build, Digest, Image, Layer
from greenrun.release.release import Release
from tests.conftest import BASELINE, World
from tests.fakes import MANIFEST


def releasing(release: Release, **changes: object) -> Release:
    """The release, with an image that differs so from a good one."""
    release.build_image()
    good: Image = replace(release.image, variables={"PATH": "/bin"})
    release.adopt(Build(replace(good, **changes), timedelta(seconds=4), ""))  # type: ignore[arg-type]  # a test's own fields
    return release


def test_a_good_image_passes_everything(release: Release) -> None:
    good = releasing(release)
    for proof in (
        image.platform,
        image.build_time,
        image.size,
        image.no_secret,
    ):
        proof(good)


def test_another_architecture(release: Release) -> None:
    with pytest.raises(GateClosed, match="got arm64, needs amd64"):
        image.platform(releasing(release, architecture="arm64"))


def test_a_large_image_names_its_largest_layers(release: Release) -> None:
    layers = (Layer("COPY app", 10**6), Layer("RUN pip install torch", 3 * 10**9))
    with pytest.raises(GateClosed, match=r"image size 3001 MB \(needs at most 2000 MB\)") as told:
        image.size(releasing(release, size_bytes=3001 * 10**6, layers=layers))
    assert told.value.hint.startswith("the largest layers are 3000 MB by RUN pip install torch")


def test_a_slow_build(release: Release) -> None:
    release.build_image()
    release.adopt(replace(release.build, took=timedelta(minutes=11)))
    with pytest.raises(GateClosed, match=r"build time 660 s \(needs at most 600 s\)"):
        image.build_time(release)


@pytest.mark.parametrize(
    "variable",
    [
        "TOKENIZERS_PARALLELISM=false",
        "MAX_TOKENS=4096",
        "PASSWORD_MIN_LENGTH=12",
        "DB_PASSWORD_FILE=/run/secrets/db",
        "TOKEN_URL=https://accounts.example.com/token",
        "REQUIRE_TOKEN=true",
        "MONKEY=yes",
    ],
)
def test_a_setting_that_is_called_like_a_secret_is_none(
    release: Release, tmp_path: Path, variable: str
) -> None:
    name, _, value = variable.partition("=")
    scanner = DetectSecrets(tmp_path)
    release.dependencies = replace(release.dependencies, scanner=scanner)
    image.no_secret(releasing(release, variables={name: value}))


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"variables": {"API_TOKEN": "x"}}, "variable API_TOKEN"),
        ({"variables": {"DB_PASSWORD2": "x"}}, "variable DB_PASSWORD2"),
        ({"variables": {"SECRET_KEY_BASE": "x"}}, "variable SECRET_KEY_BASE"),
        ({"variables": {"TOKEN_URL": "https://me:word@host"}}, "variable TOKEN_URL"),
        ({"variables": {"GREETING": "ghp_" + "a1B2" * 9}}, "variable GREETING"),
        ({"layers": (Layer("RUN curl -H ghp_" + "a1B2" * 9, 1),)}, "instruction RUN"),
        (
            {"layers": (Layer("RUN make " + "all " * 40 + "KEY=ghp_" + "a1B2" * 9, 1),)},
            "instruction RUN",
        ),
        ({"layers": (Layer("RUN DB_PASSWORD=" + "a1B2x9 make", 1),)}, "instruction RUN"),
    ],
)
def test_a_secret_in_the_image_is_named_by_its_place(
    release: Release, tmp_path: Path, changes: dict[str, object], place: str
) -> None:
    release.dependencies = replace(release.dependencies, scanner=DetectSecrets(tmp_path))
    with pytest.raises(GateClosed, match=f"what looks like a secret, in {place}") as told:
        image.no_secret(releasing(release, **changes))
    assert "a1B2" not in str(told.value)


@pytest.mark.parametrize("reference", ["registry.test/shop:v1", "registry.test/shop"])
def test_the_image_of_a_baseline_that_was_deployed_by_its_tag_is_kept(
    release: Release, world: World, reference: str
) -> None:
    baseline = world.platform.revisions_by_name[BASELINE]
    world.platform.revisions_by_name[BASELINE] = replace(baseline, image=reference)
    with pytest.raises(GateClosed) as missing:
        image.kept(release, BASELINE)
    assert str(missing.value) == (f"image of {BASELINE}: got {reference}, needs it in the registry")
    world.registry.held = {"registry.test/shop:v1": MANIFEST, "registry.test/shop:latest": MANIFEST}
    image.kept(release, BASELINE)


def test_the_registry_holds_what_was_rehearsed(release: Release, world: World) -> None:
    release.build_image()
    with pytest.raises(GateClosed, match="got no manifest, needs an image that was pushed"):
        image.held_by_registry(release)
    release.guard.lock.acquire(world.progress.report)
    release.push_image()
    image.held_by_registry(release)
    world.registry.ids[MANIFEST] = Digest("sha256:" + "c" * 64)
    with pytest.raises(
        GateClosed, match=f"got other bytes, or none in the registry, needs {MANIFEST}"
    ):
        image.held_by_registry(release)
    release.guard.lock.release()
