"""An image is named by what it is."""

import re
from datetime import UTC, datetime

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from greenrun.model.image import Digest, Image, Layer, TagPolicy

HEXADECIMAL = "0123456789abcdef"
DIGITS = st.text(HEXADECIMAL, min_size=64, max_size=64)
LAYERS = st.lists(st.builds(Layer, st.text(), st.integers(0, 10**12)))
TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")  # distribution's reference grammar


def image_with(digest: Digest, layers: list[Layer]) -> Image:
    return Image("gcr.io/p/shop", "7", digest, 1, "amd64", tuple(layers))


@given(DIGITS)
def test_a_digest_is_sha256_and_64_digits(digits: str) -> None:
    digest = Digest(f"sha256:{digits}")

    assert str(digest) == f"sha256:{digits}"
    assert digest.short == digits[:12]


@given(
    st.text()
    | DIGITS
    | DIGITS.map(lambda digits: f"sha512:{digits}")
    | DIGITS.map(lambda digits: f"sha256:{digits}\n")
    | DIGITS.map(lambda digits: f"sha256:{digits[1:]}")
    | DIGITS.filter(lambda digits: digits.upper() != digits).map(
        lambda digits: f"sha256:{digits.upper()}"
    )
)
def test_nothing_else_is_a_digest(text: str) -> None:
    with pytest.raises(ValueError, match="needs sha256: and 64 hexadecimal digits"):
        Digest(text)


@given(DIGITS, LAYERS)
def test_the_reference_names_the_bytes_and_not_the_image_tag(
    digits: str, layers: list[Layer]
) -> None:
    image = image_with(Digest(f"sha256:{digits}"), layers)

    assert image.reference == f"gcr.io/p/shop@sha256:{digits}"
    assert str(image) == f"gcr.io/p/shop:7@{digits[:12]}"


@given(LAYERS, st.integers(0, 10))
def test_the_largest_layers_come_first_and_no_other_is_larger(
    layers: list[Layer], count: int
) -> None:
    image = image_with(Digest("sha256:" + "0" * 64), layers)
    sizes = sorted((layer.size_bytes for layer in layers), reverse=True)

    assert [layer.size_bytes for layer in image.largest_layers(count)] == sizes[:count]


@given(
    policy=st.sampled_from(TagPolicy),
    service=st.from_regex(r"[a-z]([-a-z0-9]{0,47}[a-z0-9])?", fullmatch=True),
    at=st.datetimes(min_value=datetime(1970, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - hypothesis takes bounds without a zone
    commit=st.text(HEXADECIMAL, min_size=40, max_size=40),
    build_id=st.integers(0),
)
def test_every_policy_gives_a_tag_that_registries_take(
    policy: TagPolicy, service: str, at: datetime, commit: str, build_id: int
) -> None:
    assume(build_id < 10**100)

    assert TAG.fullmatch(policy.tag(service=service, at=at, commit=commit, build_id=build_id))


@pytest.mark.parametrize(
    ("policy", "tag"),
    [
        (TagPolicy.TIMESTAMP, "cockpit-phase3-20251009-073931"),
        (TagPolicy.BUILD_ID, "42"),
        (TagPolicy.COMMIT, "0123456789ab"),
    ],
)
def test_tags_read_as_the_policy_says(policy: TagPolicy, tag: str) -> None:
    at = datetime(2025, 10, 9, 7, 39, 31, tzinfo=UTC)
    commit = "0123456789abcdef0123456789abcdef01234567"

    assert policy.tag(service="cockpit-phase3", at=at, commit=commit, build_id=41) == tag
