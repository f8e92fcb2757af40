import pytest
from google.cloud import run_v2

from greenrun.adapters.gcp.run.to_proto import settings_of
from greenrun.model import forms
from greenrun.model.forms import parse_cpu, parse_memory
from greenrun.model.revision import RevisionSettings


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("1", "1"),
        ("1000m", "1"),
        ("2.0", "2"),
        ("8000m", "8"),
        ("500m", "500m"),
        ("0.5", "500m"),
        ("1.5", "1500m"),
        ("80m", "80m"),
        ("", ""),
        ("many", "many"),
        ("0.0001", "0.0001"),
    ],
)
def test_cpus_have_one_form(written: str, normal: str) -> None:
    assert forms.normal_cpu(written) == normal


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("512Mi", "512Mi"),
        ("1024Mi", "1Gi"),
        ("4096Mi", "4Gi"),
        ("1536Mi", "1536Mi"),
        ("1.5Gi", "1536Mi"),
        ("4Gi", "4Gi"),
        ("1048576Ki", "1Gi"),
        ("536870912", "512Mi"),
        ("1000M", "1G"),
        ("512M", "512M"),
        ("16384M", "16384M"),
        ("100", "100"),
        ("0Mi", "0Mi"),
        ("lots", "lots"),
    ],
)
def test_memory_has_one_form(written: str, normal: str) -> None:
    assert forms.normal_memory(written) == normal


@pytest.mark.parametrize("written", ["0.5", "500m", "1", "1.0", "1000m", 2, "4"])
def test_cpus_are_told_as_settings_write_them(written: object) -> None:
    assert forms.normal_cpu(str(written)) == parse_cpu(written)


@pytest.mark.parametrize("written", ["512Mi", "1024Mi", "3Gi", "1536Mi", "1000M", "2500M", "3G"])
def test_memory_is_told_as_settings_write_it(written: str) -> None:
    assert forms.normal_memory(written) == parse_memory(written)


def test_what_the_platform_writes_otherwise_is_no_difference() -> None:
    limits = {"cpu": "1000m", "memory": "1024Mi"}
    container = run_v2.Container(resources=run_v2.ResourceRequirements(limits=limits))
    live = settings_of(run_v2.RevisionTemplate(containers=[container]))
    wanted = RevisionSettings(cpu="1", memory="1Gi")
    found = {difference.key for difference in wanted.differences(live)}
    assert not found & {"cpu", "memory"}
