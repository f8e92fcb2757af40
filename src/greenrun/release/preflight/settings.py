"""Settings of the candidate: no secret among them, nothing lost, and all of them together."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from greenrun.model.errors import ReleaseError
from greenrun.model.interfaces import Leak, Scanner, SecretStore
from greenrun.model.plan import Plan
from greenrun.model.revision import Revision, RevisionSettings, SecretReference, ServiceSettings
from greenrun.model.revision.rules import broken, lacking
from greenrun.release.preflight.context import Context, Problem

_WRITTEN = ("release.yaml", "env.yaml")


def none_stands(context: Context) -> Iterator[Problem]:
    """Nothing looks like a secret but what people have looked at and accepted."""
    written, sent = _written(context), context.dependencies.builder.sent(context.plan.build)
    known = context.plan.preflight.secrets_baseline
    names = ", ".join(_relative(context, path) for path in written)
    told = f"{names} and {len(sent)} files of the image, accepting {known or 'nothing'}"
    context.measure("looked for secrets in", told)
    accepted = context.source.directory / known if known else None
    found = context.dependencies.scanner.leaks((*written, *sent), accepted)
    arguments = in_build_arguments(context.plan, context.dependencies.scanner)
    for leak in (*found, *_in_variables(context), *arguments):
        yield Problem(
            f"secret: got {leak}, needs no secret there",
            "move it to Secret Manager and `deploy.update-secrets`, or for a build to "
            "`build.secrets`, and revoke it; if it is none, accept it in "
            "`preflight.secrets-baseline`",
        )


def in_build_arguments(plan: Plan, scanner: Scanner) -> Iterator[Leak]:
    """Arguments of the build that look like secrets: every image tells its arguments."""
    for name, value in plan.build.args.items():
        yield from scanner.in_text(f"build.args.{name}", f'{name}="{value}"')


def readable(context: Context) -> Iterator[Problem]:
    """Every secret version that the service reads exists, and is enabled."""
    secrets = context.plan.settings.every_secret
    context.measure("secret versions", ", ".join(map(str, secrets.values())) or "none")
    for reference in missing(secrets, context.dependencies.secret_store):
        yield Problem(
            f"secret version: got no {reference}, needs an enabled version",
            "gcloud secrets versions add, or correct `deploy.update-secrets` in release.yaml",
        )


def missing(secrets: Mapping[str, SecretReference], secret_store: SecretStore) -> Iterator[str]:
    """References to versions that cannot be read, as `NAME:VERSION for VARIABLE`."""
    for variable, reference in secrets.items():
        if not secret_store.exists(reference.secret, reference.version):
            yield f"{reference} for {variable}"


def _written(context: Context) -> Sequence[Path]:
    """What people write, wherever it stands."""
    names = (*_WRITTEN, context.plan.build.dockerfile)
    return [*filter(Path.is_file, (context.source.directory / name for name in names))]


def _in_variables(context: Context) -> Iterator[Leak]:
    """Variables as the service gets them, whatever the file is called that they are from."""
    if (context.source.directory / "env.yaml").is_file():
        return
    for name, value in (context.plan.settings.variables or {}).items():
        yield from context.dependencies.scanner.in_text(f"variable {name}", f'{name}="{value}"')


def _relative(context: Context, path: Path) -> str:
    root = context.source.directory
    return str(path.relative_to(root) if path.is_relative_to(root) else path)


def problems(
    plan: Plan, baseline: Revision | None, of_service: ServiceSettings
) -> Iterator[Problem]:
    """Yield what forbids to lay the plan's settings over those of the baseline.

    Without a baseline (a first release) the plan's settings are all that there is.
    """
    live = baseline.settings if baseline else RevisionSettings()
    if lost := plan.settings.lost(live):
        name = baseline.name if baseline else ""
        yield Problem(
            f"variables: the candidate would lose {', '.join(lost)} of {name}, needs each of them "
            "kept, or taken away on purpose",
            f"{_lines(lost)}",
        )
    made, of_made = plan.settings.over(live), plan.service_settings.over(of_service)
    known = {*broken(live, of_service), *lacking(live)}
    for key, needs in (*broken(made, of_made), *lacking(made)):
        if (key, needs) not in known:
            place = "live or said" if baseline else "said"
            facts = dict((*made.facts(), *of_made.facts()))
            got = facts.get(".".join(key).replace("update-secrets.", "secrets."), "nothing")
            yield Problem(
                f"deploy.{'.'.join(key)}: got {got} ({place}), needs {needs}",
                f"say under `deploy` in release.yaml what goes together: {key[-1]}",
            )


def expect_fitting(plan: Plan, baseline: Revision | None, of_service: ServiceSettings) -> None:
    """Raise ReleaseError with every problem; what is made always asks this before."""
    found = list(problems(plan, baseline, of_service))
    if found:
        raise ReleaseError(
            "\n".join(problem.text for problem in found),
            hint="\n".join(problem.hint for problem in found),
        )


def _lines(lost: tuple[str, ...]) -> str:
    """Return the lines that keep them, and those that take them away."""
    own = [name for name in lost if ": " not in name]
    beside = [name.split(": ") for name in lost if ": " in name]
    keep = [
        *(f'{name}: "..."' for name in own),
        *(_of(one, f'update-env-vars: {{{name}: "..."}}') for one, name in beside),
    ]
    remove = [
        *([f"deploy: {{remove-env-vars: [{', '.join(own)}]}}"] if own else []),
        *(_of(one, f"remove-env-vars: [{name}]") for one, name in beside),
    ]
    kept, removed = "\n  ".join(keep), "\n  ".join(remove)
    return f"keep them, with the values that they have:\n  {kept}\nor take them away:\n  {removed}"


def _of(container: str, line: str) -> str:
    return f"deploy: {{containers: {{{container}: {{{line}}}}}}}"
