"""Secrets where none may stand: in env.yaml, and in what the image is built from (P1.5)."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from greenrun.model.interfaces import Leak
from greenrun.release.preflight.context import Doubt, Scene

_WRITTEN = ("release.yaml", "env.yaml")


def none_stands(scene: Scene) -> Iterator[Doubt]:
    """Nothing looks like a secret but what people have looked at and accepted."""
    files, known = _places(scene), scene.plan.preflight.known_secrets
    looked_at = ", ".join(_relative(scene, path) for path in files)
    scene.measure("looked for secrets in", f"{looked_at}, accepting {known or 'nothing'}")
    accepted = scene.source.directory / known if known else None
    for leak in (*scene.dependencies.scanner.leaks(files, accepted), *_in_variables(scene)):
        yield Doubt(
            f"secret: got {leak}, needs no secret there",
            "move it to Secret Manager and `deploy.update-secrets`, and revoke it; "
            "if it is none, accept it in `preflight.secrets-baseline`",
        )


def _places(scene: Scene) -> Sequence[Path]:
    """A folder stands for what an image of it may hold."""
    directory, build = scene.source.directory, scene.plan.build
    named = [directory / name for name in (*_WRITTEN, build.dockerfile)]
    return [*filter(Path.is_file, named), directory / build.context]


def _in_variables(scene: Scene) -> Iterator[Leak]:
    """Variables as the service gets them, whatever the file is called that they are from."""
    if (scene.source.directory / "env.yaml").is_file():
        return
    for name, value in scene.plan.settings.variables.items():
        yield from scene.dependencies.scanner.in_text(f"variable {name}", f'{name}="{value}"')


def _relative(scene: Scene, path: Path) -> str:
    root = scene.source.directory
    return str(path.relative_to(root) if path.is_relative_to(root) else path)
