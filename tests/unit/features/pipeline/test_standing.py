"""What a member knows of its partitions, through everything that a group does to it."""

from features.pipeline.standing import Standing

A, B = ("events", 0), ("events", 1)


def test_a_partition_that_came_has_no_place_until_it_is_named() -> None:
    standing = Standing()
    standing.arrive([A, B])
    standing.place(A, 7)
    assert standing.unplaced == {B}
    assert standing.placed[A].position == 7
    assert B not in standing.placed


def test_what_was_counted_is_committed_once() -> None:
    standing = Standing()
    standing.place(A, 0)
    standing.advance(A, 5, as_of=10, clock=20)
    standing.advance(A, 9, as_of=11, clock=21)
    assert standing.take_committable() == {A: 9}
    assert standing.take_committable() == {}


def test_what_could_not_be_committed_is_committed_with_what_was_counted_since() -> None:
    standing = Standing()
    standing.place(A, 0)
    standing.advance(A, 5, as_of=0, clock=0)
    failed = standing.take_committable()
    standing.advance(A, 9, as_of=0, clock=0)
    standing.restore(failed)
    assert standing.take_committable() == {A: 9}


def test_times_never_go_back() -> None:
    standing = Standing()
    standing.place(A, 0)
    standing.advance(A, 5, as_of=10, clock=20)
    standing.advance(A, 6, as_of=8, clock=19)
    assert (standing.placed[A].as_of, standing.placed[A].clock) == (10, 20)


def test_a_fenced_partition_asks_for_its_place_again() -> None:
    standing = Standing()
    standing.place(A, 3)
    standing.displace([A])
    assert standing.unplaced == {A}
    assert A not in standing.placed


def test_nothing_of_a_partition_that_went_is_committed() -> None:
    standing = Standing()
    standing.arrive([A, B])
    standing.place(A, 0)
    standing.advance(A, 5, as_of=0, clock=0)
    failed = standing.take_committable()
    standing.forget([A, B])
    standing.restore(failed)
    assert standing.take_committable() == {}
    assert standing.unplaced == frozenset()
