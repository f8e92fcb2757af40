"""Performs the sentences of a scenario, firing pytest-bdd's hooks as pytest-bdd does.

pytest-bdd looks every sentence up again among all fixtures of the session when it comes to it;
here they were bound when they were collected.
"""

import inspect
from collections.abc import Iterable, Iterator

import pytest
from pytest_bdd.compat import inject_fixture
from pytest_bdd.parser import Scenario, Step
from pytest_bdd.scenario import parse_step_arguments

from greenrun.plugin.gherkin.step_binding import Definition, parameters, read_table


def perform(
    request: pytest.FixtureRequest, scenario: Scenario, bindings: Iterable[Definition]
) -> None:
    """Perform one scenario in the test that `request` belongs to."""
    __tracebackhide__ = True
    hook, told = request.config.hook, {"feature": scenario.feature, "scenario": scenario}
    hook.pytest_bdd_before_scenario(request=request, **told)
    try:
        for sentence, definition in zip(scenario.steps, bindings, strict=True):
            _perform_sentence(request, scenario, sentence, definition)
    finally:
        hook.pytest_bdd_after_scenario(request=request, **told)


def _perform_sentence(
    request: pytest.FixtureRequest, scenario: Scenario, sentence: Step, definition: Definition
) -> None:
    __tracebackhide__ = True
    hook, function = request.config.hook, definition.step_func
    told = {
        "request": request,
        "feature": scenario.feature,
        "scenario": scenario,
        "step": sentence,
        "step_func": function,
    }
    hook.pytest_bdd_before_step(**told)
    arguments: dict[str, object] = {}
    try:
        arguments |= _arguments(request, sentence, definition)
        hook.pytest_bdd_before_step_call(**told, step_func_args=arguments)
        value = _call(request, definition, arguments)
    except (Exception, pytest.fail.Exception) as error:
        hook.pytest_bdd_step_error(**told, step_func_args=arguments, exception=error)
        raise
    if definition.target_fixture is not None:
        inject_fixture(request, definition.target_fixture, value)
    hook.pytest_bdd_after_step(**told, step_func_args=arguments)


def _arguments(
    request: pytest.FixtureRequest, sentence: Step, definition: Definition
) -> dict[str, object]:
    """What the sentence itself says, then fixtures for all that is left."""
    __tracebackhide__ = True
    accepted, wanted = parameters(definition.step_func)
    said = parse_step_arguments(sentence, definition)
    arguments = {name: value for name, value in said.items() if name in accepted}
    if "datatable" in accepted and sentence.datatable is not None:
        arguments["datatable"] = read_table(sentence, definition)
    if "docstring" in accepted and sentence.docstring is not None:
        arguments["docstring"] = sentence.docstring
    return arguments | {
        name: request.getfixturevalue(name) for name in wanted if name not in arguments
    }


def _call(
    request: pytest.FixtureRequest, definition: Definition, arguments: dict[str, object]
) -> object:
    """Call a step function; what comes after a `yield` runs when the scenario is over."""
    __tracebackhide__ = True
    if not inspect.isgeneratorfunction(definition.step_func):
        return definition.step_func(**arguments)
    begun: Iterator[object] = definition.step_func(**arguments)
    value = next(begun)
    request.addfinalizer(lambda: next(begun, None))
    return value
