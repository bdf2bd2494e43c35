"""Hypothesis profiles: the default short one, and the long one of `make test-full`."""

import os

from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.clickhouse_fixtures", "tests.integration.real_kafka"]

_COMMON = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}

settings.register_profile("ci", max_examples=200, derandomize=True, **_COMMON)  # type: ignore[arg-type]  # profile keywords
settings.register_profile("full", max_examples=2_000, **_COMMON)  # type: ignore[arg-type]  # profile keywords
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))
