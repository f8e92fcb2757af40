"""Every setting that `gcloud run deploy` can give a service, said once."""

from datetime import timedelta

from greenrun.model.revision import (
    ContainerProbe,
    RevisionSettings,
    SecretReference,
    ServiceSettings,
    Sidecar,
    Volume,
)

SECOND = timedelta(seconds=1)
KEY = "projects/p/locations/europe-west1/keyRings/r/cryptoKeys/k"

REVISION = RevisionSettings(
    command=("python", "-m"),
    args=("app", "--verbose"),
    variables={"LOG_LEVEL": "INFO", "EMPTY": ""},
    secrets={
        "TOKEN": SecretReference("token", "3"),
        "/secrets/one/key": SecretReference("key", "1"),
        "/secrets/one/old": SecretReference("key", "latest"),
        "/secrets/two/cert": SecretReference("cert", "2"),
    },
    cpu="4",
    memory="16Gi",
    cpu_throttling=False,
    cpu_boost=True,
    gpu="1",
    startup_probe=ContainerProbe(
        type="http",
        path="/up",
        headers={"x-probe": "yes"},
        port=9000,
        initial_delay=2 * SECOND,
        timeout=3 * SECOND,
        period=4 * SECOND,
        failure_threshold=5,
    ),
    liveness_probe=ContainerProbe(type="grpc", grpc_service="live", port=9001, period=30 * SECOND),
    readiness_probe=ContainerProbe(type="http", path="/ready", period=7 * SECOND),
    depends_on=("proxy",),
    container="app",
    port=9000,
    use_http2=True,
    timeout=600 * SECOND,
    concurrency=7,
    min_instances=1,
    max_instances=3,
    gpu_type="nvidia-l4",
    gpu_zonal_redundancy=False,
    volumes={
        "shared": Volume(source="nfs:10.0.0.2:/shared", path="/shared", readonly=True),
        "bucket": Volume(
            source="gcs:things",
            path="/things",
            readonly=False,
            mount_options=("implicit-dirs", "uid=1000"),
        ),
        "scratch": Volume(source="in-memory", path="/scratch", size_limit="64Mi"),
    },
    containers={
        "proxy": Sidecar(
            image="in-process/echo",
            command=("proxy",),
            args=("--quiet",),
            variables={"MODE": "proxy"},
            secrets={
                "PROXY_TOKEN": SecretReference("token", "3"),
                "/proxy/key": SecretReference("key", "1"),
            },
            cpu="1",
            memory="512Mi",
            startup_probe=ContainerProbe(
                type="tcp", port=5432, period=SECOND, failure_threshold=30
            ),
            mounts={"scratch": "/tmp/scratch"},
        )
    },
    service_account="runner@project.iam.gserviceaccount.com",
    cloudsql_instances=("project:europe-west1:main", "project:europe-west1:other"),
    network="projects/p/global/networks/default",
    subnet="default",
    network_tags=("web", "internal"),
    vpc_egress="private-ranges-only",
    execution_environment="gen2",
    session_affinity=True,
    labels={"team": "blue", "cost": "42"},
    key=KEY,
    key_revocation="shut-down",
    key_shutdown=timedelta(hours=5),
)

SERVICE = ServiceSettings(
    ingress="internal-and-cloud-load-balancing",
    min=1,
    max=20,
    description="by hand",
    custom_audiences=("https://api.example.com", "other"),
    invoker_iam_check=False,
    default_url=True,
    binary_authorization="default",
    breakglass="an incident",
    labels={"team": "blue"},
)
