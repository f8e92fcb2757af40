"""The keys of release.yaml that say how a release is conducted, around what is released."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated

from pydantic import Field

from greenrun.config import forms
from greenrun.config import values as are
from greenrun.config.section import Section, written
from greenrun.model.plan import PreflightPlan, RecordPlan


class PreflightSection(Section):
    """What has to hold before a release."""

    branch: are.Branch = Field(default="", validate_default=False)
    remote: are.Remote = "origin"
    commits: are.Commits = Field(default=(), validate_default=False)
    quality_gates: Mapping[are.GateName, are.Command] = Field(default_factory=dict)
    gates_within: are.Duration = written("10m")
    known_secrets: are.RelativePath = Field(default="", validate_default=False)
    reuse_rehearsal_within: are.Duration | None = Field(default=None, validate_default=False)
    lock_time_to_live: Annotated[timedelta, forms.duration(are.SECOND, are.HOUR)] = written("90s")

    def plan(self) -> PreflightPlan:
        return PreflightPlan(
            branch=self.branch,
            remote=self.remote,
            commits=self.commits,
            quality_gates=self.quality_gates,
            gates_within=self.gates_within,
            known_secrets=self.known_secrets,
        )


class RecordSection(Section):
    """Where the record of a release goes."""

    folder: are.RelativePath = "docs/deployments"
    template: are.RelativePath = Field(default="", validate_default=False)
    hand_over: are.RelativePaths = Field(default=(), validate_default=False)
    commit: are.Flag = False

    def plan(self) -> RecordPlan:
        return RecordPlan(self.folder, self.template, self.hand_over, self.commit)
