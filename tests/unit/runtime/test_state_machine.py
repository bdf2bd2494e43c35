"""The checkpoint protocol as a state machine: what happens next is Hypothesis's choice, so that a run that
ends wrong is shrunk to the few steps that matter.

Actors: source, clock, owner, zombies, compactor, batches that land late. An owner goes one wait at a time,
so it may be killed between any two steps of opening and of a checkpoint. `test_schedules.py` runs the
same world by seeds, many more steps at a time.
"""

import os
import random

from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from tests.unit.runtime.test_schedules import check, come_to_rest
from tests.unit.runtime.world import TARGET_MS, World

FULL = os.environ.get("HYPOTHESIS_PROFILE") == "full"
RUNS = 1_000 if FULL else 60
STEPS = 80
SOME = st.integers(0, 7)


class Partition(RuleBasedStateMachine):
    """One source partition, its changelog, and everybody who touches them."""

    world: World

    @initialize(rng=st.randoms(use_true_random=False))
    def begin(self, rng: random.Random) -> None:
        self.world = World(rng)
        self.world.assign()

    @rule(records=st.integers(1, 4))
    def produce(self, records: int) -> None:
        for _ in range(records):
            self.world.produce()

    @rule(share=st.floats(0.01, 0.9))
    def time_passes(self, share: float) -> None:
        self.world.clock.move_to(self.world.clock.now_ms() + round(share * TARGET_MS))

    @rule()
    def hand_over(self) -> None:
        """The group gives the partition to another worker; the old one goes on as a zombie."""
        self.world.assign()

    @precondition(lambda self: self.world.owners)
    @rule(which=SOME)
    def kill(self, which: int) -> None:
        world = self.world
        world.kill(world.owners[which % len(world.owners)])
        if world.latest not in world.owners:
            world.assign()

    @precondition(lambda self: self.world.late)
    @rule(which=SOME)
    def what_was_given_up_lands(self, which: int) -> None:
        world = self.world
        world.land(*world.late.pop(which % len(world.late)))

    @rule()
    def compact(self) -> None:
        self.world.compact()

    @precondition(lambda self: self.world.owners)
    @rule(which=SOME, steps=st.integers(1, 12))
    def go_on(self, which: int, steps: int) -> None:
        """One owner, a few waits further, whoever it is."""
        world = self.world
        owner = world.owners[which % len(world.owners)]
        for _ in range(steps):
            if owner not in world.owners or not world.step(owner):
                break

    def teardown(self) -> None:
        if hasattr(self, "world"):
            come_to_rest(self.world)
            check(self.world)


TestPartition = Partition.TestCase
TestPartition.settings = settings(
    max_examples=RUNS, stateful_step_count=STEPS, deadline=None, derandomize=not FULL
)
