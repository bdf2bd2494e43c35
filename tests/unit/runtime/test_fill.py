"""How full a checkpoint is, by bounds that become exact where it matters."""

from streams.runtime.fill import RECORD_BYTES, Fill

ROOM = 100_000


def test_bounds_are_never_below_what_the_states_take() -> None:
    fill = Fill()
    fill.remember("large", 30_000)
    fill.add("large", 200, new=False)
    fill.add("small", 200, new=False)
    fill.add("new", 200, new=True)
    assert fill.total_bytes >= 30_000 + 2 * 1_000 + 3 * RECORD_BYTES
    assert fill.bound("large", 0) > 30_200


def test_where_the_bounds_fill_the_room_the_states_are_measured() -> None:
    measured: list[str] = []

    def measure(entity: str) -> int:
        measured.append(entity)
        return 300

    fill = Fill()
    for number in range(50):
        fill.add(f"e{number}", 1_000, new=True)
    assert fill.total_bytes > ROOM
    assert fill.has_room(ROOM, measure)
    assert len(measured) == 50
    assert fill.total_bytes == 50 * (300 + RECORD_BYTES)


def test_measuring_ends_when_less_than_a_quarter_of_the_room_comes_of_it() -> None:
    measured: list[str] = []

    def measure(entity: str) -> int:
        measured.append(entity)
        return 1_900

    fill = Fill()
    for number in range(50):
        fill.add(f"e{number}", 1_000, new=True)
    assert not fill.has_room(ROOM, measure)
    assert not fill.has_room(ROOM, measure)
    assert len(measured) == 50
    fill.reset()
    assert fill.has_room(ROOM, measure)
    assert fill.total_bytes == 0


def test_what_is_forgotten_counts_as_small_when_it_comes_again() -> None:
    fill = Fill()
    fill.remember("e", 30_000)
    fill.remember("e", 0)
    fill.add("e", 0, new=True)
    assert fill.total_bytes < 1_000
