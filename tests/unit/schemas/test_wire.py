"""The two halves of the contract fit: wire models outside, structs inside; and nothing is missing."""

from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec
import pytest

from schemas import events, wire
from schemas.events import Data, EntityKind, Metric
from schemas.topics import BY_NAME
from schemas.wire import TYPES, Wire

PAIRS = [
    pytest.param(kind, name, model, inside, id=f"{kind}-{name}")
    for kind, types in TYPES.items()
    for name, (model, inside) in types.items()
]
each_type = pytest.mark.parametrize(("kind", "name", "model", "inside"), PAIRS)


@each_type
def test_names_and_order_are_the_same(
    kind: EntityKind, name: str, model: type[Wire], inside: type[Data]
) -> None:
    outside = [
        field.removesuffix("_at") + "_ms" if field.endswith("_at") else field
        for field in model.model_fields
    ]

    assert outside == list(inside.__struct_fields__)
    assert inside.__struct_config__.tag == name


@each_type
def test_defaults_are_the_same(
    kind: EntityKind, name: str, model: type[Wire], inside: type[Data]
) -> None:
    outside = [
        msgspec.NODEFAULT if field.is_required() else field.get_default()
        for field in model.model_fields.values()
    ]

    assert outside == [default_of(field) for field in msgspec.structs.fields(inside)]


def default_of(field: msgspec.structs.FieldInfo) -> Any:
    return field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()


@each_type
def test_what_may_be_null_is_the_same(
    kind: EntityKind, name: str, model: type[Wire], inside: type[Data]
) -> None:
    outside, within = get_type_hints(model, include_extras=True), get_type_hints(inside)

    nullable = [may_be_null(outside[field]) for field in model.model_fields]

    assert nullable == [may_be_null(within[field]) for field in inside.__struct_fields__]


def may_be_null(hint: Any) -> bool:
    return get_origin(hint) in (Union, UnionType) and NoneType in get_args(hint)


@each_type
def test_every_type_says_what_it_is(
    kind: EntityKind, name: str, model: type[Wire], inside: type[Data]
) -> None:
    assert model.__doc__
    assert model.__doc__ != Wire.__doc__


def test_the_unions_name_every_class() -> None:
    unions: dict[EntityKind, Any] = {
        "ticket": events.TicketData,
        "call": events.CallData,
        "survey": events.SurveyData,
        "shift": events.ShiftData,
    }

    for kind, union in unions.items():
        assert set(get_args(union)) == {inside for _model, inside in TYPES[kind].values()}


def test_every_entity_has_its_topic() -> None:
    assert set(wire.TOPIC_OF) == set(TYPES) == set(get_args(EntityKind))
    assert {BY_NAME[topic].role for topic in wire.TOPIC_OF.values()} == {"source"}


def test_every_metric_has_a_scale() -> None:
    assert set(wire.SCALES) == set(get_args(Metric))
    assert all(low < high for low, high in wire.SCALES.values())


def test_what_the_domain_asks_for_is_there() -> None:
    assert set(TYPES["ticket"]) >= {
        *("created", "status_changed", "priority_changed", "assigned", "customer_changed"),
        *("message", "solved", "reopened", "closed", "cancelled", "merged", "absorbed"),
        *("stage_changed", "excluded", "external_verdict"),
    }
    assert set(TYPES["call"]) >= {
        *("ivr_entered", "queued", "offered", "answered", "held", "transferred", "abandoned"),
        *("callback_requested", "ended", "after_call_ended"),
    }
    assert set(TYPES["survey"]) >= {"sent", "answered"}
    assert set(TYPES["shift"]) == {"began", "state_changed", "ended"}
    assert set(get_args(Metric)) >= {
        *("csat", "nps", "ces", "servqual", "reputation", "audit", "employee"),
    }
