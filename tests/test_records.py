"""`symgrad.records.dataclass` makes what the standard library's makes: the same classes, told apart by nothing but time."""

import copy
import dataclasses
import pickle
from dataclasses import FrozenInstanceError, field, fields, replace

import pytest

from symgrad import records


def described(dataclass):
    """A few classes of each kind, made by one of the two decorators."""

    @dataclass(frozen=True, slots=True)
    class Plain:
        a: int
        b: str = "b"
        c: list = field(default_factory=list)

    @dataclass(frozen=True, slots=True)
    class One:
        a: int

    @dataclass(frozen=True, slots=True)
    class Empty:
        pass

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Named:
        en: str
        zh: str = ""

    @dataclass(frozen=True, slots=True)
    class Mixed:
        a: int
        length: int = field(init=False, default=0)
        d: int = field(default=4, kw_only=True)

        def __post_init__(self):
            if self.a < 0:
                raise ValueError("below 0")
            object.__setattr__(self, "length", 2 * self.a)

    @dataclass(frozen=True, slots=True, eq=False)
    class Same:
        a: int

        def __repr__(self):
            return "same"

    return Plain, One, Empty, Named, Mixed, Same


OURS, THEIRS = described(records.dataclass), described(dataclasses.dataclass)


@dataclasses.dataclass(frozen=True, slots=True)
class Theirs:
    a: int
    b: tuple = ()


@records.dataclass(frozen=True, slots=True)
class Ours:
    a: int
    b: tuple = ()


CALLS = [
    lambda k: k[0](1),
    lambda k: k[0](1, "x", [3]),
    lambda k: k[0](b="x", a=2),
    lambda k: k[0](),
    lambda k: k[0](1, "x", [], 4),
    lambda k: k[0](1, a=2),
    lambda k: k[0](1, e=2),
    lambda k: k[0](1) == k[0](1, "b", []),
    lambda k: k[0](1) == k[0](2),
    lambda k: k[1](1) == 1,
    lambda k: hash(k[1](3)) == hash((3,)),
    lambda k: hash(k[0](1)),  # a list has no hash
    lambda k: hash(k[3](en="a")) == hash(("a", "")),
    lambda k: k[2](),
    lambda k: k[2]() == k[2](),
    lambda k: k[3](en="a"),
    lambda k: k[3]("a"),
    lambda k: k[4](3),
    lambda k: k[4](3, d=5),
    lambda k: k[4](3, 5),
    lambda k: k[4](3, length=5),
    lambda k: k[4](-1),
    lambda k: replace(k[4](3), a=4),
    lambda k: replace(k[4](3), length=4),
    lambda k: k[5](1),
    lambda k: k[5](1) == k[5](1),
    lambda k: len({k[5](1), k[5](1)}),
    lambda k: setattr(k[0](1), "a", 2),
    lambda k: delattr(k[0](1), "a"),
    lambda k: [(f.name, f.init, f.kw_only) for f in fields(k[4])],
    lambda k: (k[0].__match_args__, k[0].__slots__, k[4].__slots__),
    lambda k: hasattr(k[0](1), "__dict__"),
    lambda k: copy.deepcopy(k[0](1, "x", [[3]])),
    lambda k: copy.copy(k[4](3)),
]


def outcome(call, classes):
    """What comes of a call, or the kind of its error, without the name of the decorator's function."""
    try:
        return repr(call(classes))
    except (TypeError, ValueError, AttributeError) as e:
        return type(e)


@pytest.mark.parametrize("call", CALLS)
def test_the_classes_behave_alike(call):
    assert outcome(call, OURS) == outcome(call, THEIRS)


def test_objects_pickle():
    assert pickle.loads(pickle.dumps(Ours(1, (2,)))) == Ours(1, (2,))
    assert repr(Ours(1)) == repr(Theirs(1)).replace("Theirs", "Ours")
    assert Ours(1) != Theirs(1)


def test_what_does_not_change_says_so():
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'a'"):
        Ours(1).a = 2
