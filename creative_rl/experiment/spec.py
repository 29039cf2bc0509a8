"""What a run is, as plain values: enough to build it again. Imports no JAX."""

import dataclasses
import hashlib
import json
import numbers
from collections.abc import Iterable, Mapping
from typing import Any

from creative_rl import configs, registry
from creative_rl.experiment.sizes import LARGEST_SIZE, whole_number
from creative_rl.registry import unknown_name

_WHOLE = (("seed", 0, LARGEST_SIZE), ("num_updates", 1, LARGEST_SIZE), ("num_seeds", 1, 2**20))


@dataclasses.dataclass(frozen=True)
class RunSpec:
    """The environment, the learner and how long.

    Attributes:
      environment: id for `creative_rl.make`.
      learner: name in the registry.
      config: the learner's config; None for its defaults.
      env_overrides: keywords for `creative_rl.make`.
      weights: of reward terms, in place of their defaults.
      seed: first seed, 0 to 2**31 - 1.
      num_seeds: seeds `seed, seed + 1, ...` trained in one program, with a leading axis on
        everything; None for one seed without that axis.
      num_updates: updates in the whole run.
      corpus: source of the sequences that a `likelihood` or a `music_vae` learner models, or whose
        looks a `dqn_gan` learns in an environment without examples of its own.
      prior: a `likelihood` run whose model starts the policy and joins the reward.
      prior_weight: factor of the prior's log-likelihood in the reward; G-learning has the prior in
        its target instead, and takes 1.
      corpus_sizes: training sequences, held-out sequences and events in each, kept so that the
        corpus may go.
      prior_config: the prior's own config, kept so that the prior run may go.

    Raises:
      ValueError: an unknown environment or learner, or a value out of range.
    """

    environment: str
    learner: str
    config: Any = None
    env_overrides: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    weights: Mapping[str, float] = dataclasses.field(default_factory=dict)
    seed: int = 0
    num_seeds: int | None = None
    num_updates: int = 100
    corpus: str | None = None
    prior: str | None = None
    prior_weight: float = 1.0
    corpus_sizes: tuple[int, int, int] | None = None
    prior_config: configs.LikelihoodConfig | None = None

    def __post_init__(self):
        known = registry.environment_ids()
        if self.environment not in known and ":" not in self.environment:
            raise ValueError(registry.unknown_environment(self.environment))
        entry = registry.learner_entry(self.learner)
        config_class = registry.load(entry.config)
        if self.config is None:
            object.__setattr__(self, "config", config_class())
        if not isinstance(self.config, config_class):
            raise ValueError(
                f"{self.learner}: config must be a {config_class.__name__}, "
                f"got {type(self.config).__name__}"
            )
        configs.validate(self.config)
        for name, low, high in _WHOLE:
            if (value := getattr(self, name)) is not None or name != "num_seeds":
                object.__setattr__(self, name, whole_number(name, value, low, high))
        if entry.needs_corpus and self.corpus is None:
            raise ValueError(f"the learner {self.learner} needs a corpus: give --corpus SOURCE")
        if self.corpus is not None and not entry.takes_corpus:
            takers = registry.learners_with("takes_corpus")
            raise ValueError(f"a corpus is what {takers} learn from; {self.learner} takes none")
        if self.prior is not None and not entry.takes_prior:
            takers = registry.learners_with("takes_prior")
            raise ValueError(
                f"a prior is tuned by the learners {takers}; {self.learner} cannot take one"
            )
        if self.weights and entry.needs_corpus:
            raise ValueError(f"the learner {self.learner} takes no reward weights; leave them out")
        for name, weight in self.weights.items():
            if _is_known(weight) and not abs(weight) < float("inf"):
                raise ValueError(f"the weight of {name} must be a finite number, got {weight}")
        if getattr(self.config, "target", None) == "g" and self.prior_weight != 1.0:
            raise ValueError(
                f"prior_weight has no part in G-learning, got {self.prior_weight}; leave it out, "
                "temperature weighs the prior against the reward"
            )
        is_psi = getattr(self.config, "target", None) == "psi" and self.prior is not None
        if (
            is_psi
            and _is_known(self.config.temperature)
            and (self.prior_weight != self.config.temperature)
        ):
            raise ValueError(
                f"in psi-learning prior_weight must be the temperature, {self.config.temperature}, "
                f"got {self.prior_weight}; make them equal"
            )
        if not 0 <= self.prior_weight < float("inf"):
            raise ValueError(
                f"prior_weight must be a finite number of at least 0, got {self.prior_weight}"
            )

    def to_dict(self) -> dict[str, Any]:
        """JSON values only; `from_dict` reads them back."""
        return json.loads(json.dumps(dataclasses.asdict(self)))

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "RunSpec":
        """The spec that `to_dict` wrote. Refuses unknown and missing names by name."""
        values = dict(values)
        _check_names("run spec", values, cls)
        entry = registry.learner_entry(values["learner"])
        values["config"] = config_from_dict(registry.load(entry.config), values.get("config"))
        values["env_overrides"] = {
            name: _hashable(value) for name, value in values.get("env_overrides", {}).items()
        }
        if values.get("corpus_sizes") is not None:
            values["corpus_sizes"] = tuple(values["corpus_sizes"])
        if values.get("prior_config") is not None:
            values["prior_config"] = config_from_dict(
                configs.LikelihoodConfig, values["prior_config"]
            )
        return cls(**values)

    @property
    def hash(self) -> str:
        """sha256 of the canonical JSON: equal for equal specs, on every machine."""
        canonical = json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()


def config_from_dict(config_class: type, values: Mapping[str, Any] | None) -> Any:
    """A learner's config from JSON values; unknown names are refused with the near matches."""
    values = dict(values or {})
    _check_names(config_class.__name__, values, config_class)
    return config_class(**{name: _hashable(value) for name, value in values.items()})


def _check_names(what: str, values: Iterable[str], cls: type) -> None:
    fields = {field.name: field for field in dataclasses.fields(cls)}
    for name in values:
        if name not in fields:
            raise ValueError(f"{what}: {unknown_name('field', name, list(fields))}")
    for name, field in fields.items():
        required = (field.default, field.default_factory) == (dataclasses.MISSING,) * 2
        if required and name not in values:
            raise ValueError(f"{what}: the field {name!r} is missing")


def _is_known(number: Any) -> bool:
    """Whether it is a number now; the tracers of a sweep stand for numbers that were checked."""
    return not hasattr(number, "dtype") or isinstance(number, numbers.Real)


def _hashable(value: Any) -> Any:
    """JSON's lists as the tuples that frozen dataclasses hold."""
    return tuple(_hashable(item) for item in value) if isinstance(value, list) else value
