"""Flags read from source agree with the dataclasses they stand for."""

import argparse
import dataclasses
import typing

import pytest

from creative_rl import registry
from creative_rl.experiment import flags
from creative_rl.experiment.parser import Parser


@pytest.mark.parametrize("learner", sorted(registry.LEARNERS))
def test_every_field_of_every_config_has_a_flag(learner):
    target = registry.LEARNERS[learner].config
    found = {flag.name: flag for flag in flags.class_flags(target)}
    fields = {field.name: field for field in dataclasses.fields(registry.load(target))}
    assert found.keys() == fields.keys()
    parser = Parser("test", None)
    for flag in found.values():
        assert flag.help and "\n" not in flag.help
        flag.add_to(parser)
    assert vars(parser.parse_all([])) == {}  # only what is given is in the result
    for name, field in fields.items():
        option = f"--{name.replace('_', '-')}"
        if field.type is bool:
            assert vars(parser.parse_all([f"--no-{option[2:]}"])) == {name: False}
            continue
        if field.default is None:  # what is left out
            assert vars(parser.parse_all([option, "7"])) == {name: 7}
            continue
        text = found[name].default
        assert vars(parser.parse_all([option, text])) == {name: field.default}
        if typing.get_origin(field.type) is typing.Literal:
            assert flags.literal_choices(found[name].type) == typing.get_args(field.type)


@pytest.mark.parametrize("environment", sorted(registry.ENVIRONMENTS))
def test_flags_of_environments_are_their_fields(environment):
    target = registry.ENVIRONMENTS[environment].target
    fields = {field.name for field in dataclasses.fields(registry.load(target))}
    names = {flag.name for flag in flags.class_flags(target)}
    assert names and names <= fields and "terms" not in names


def test_nothing_where_there_is_no_source():
    assert flags.class_flags("no_such_package.module:Class") == []
    assert flags.class_flags("creative_rl.configs:Nothing") == []


@pytest.mark.parametrize(
    ("text", "value"), [("64", 64), ("10_000", 10_000), ("1e6", 1_000_000), ("-3", -3)]
)
def test_whole(text, value):
    assert flags.whole(text) == value


@pytest.mark.parametrize("text", ["1.5", "x", "", "inf", "nan", "1e400"])
def test_not_whole(text):
    with pytest.raises(argparse.ArgumentTypeError, match="must be a whole number"):
        flags.whole(text)


@pytest.mark.parametrize("text", ["x", "inf", "-inf", "nan", ""])
def test_not_a_number(text):
    with pytest.raises(argparse.ArgumentTypeError, match="must be a finite number"):
        flags.number(text)
