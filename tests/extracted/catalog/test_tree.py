from __future__ import annotations

from extracted.catalog.tree import Node, Tree, TreeCache

WOMEN = Node(1, None, "Women", "women", 2, False)
MEN = Node(2, None, "Men", "men", 1, False)
DRESSES = Node(3, 1, "Dresses", "women-dresses", 1, False)
GONE = Node(4, 1, "Hats", "women-hats", 0, True)
BELOW_GONE = Node(5, 4, "Caps", "women-caps", 0, False)
TREE = Tree([WOMEN, MEN, DRESSES, GONE, BELOW_GONE])


def test_siblings_are_shown_by_position_and_retired_branches_are_not() -> None:
    assert [node["slug"] for node in TREE.shown] == ["men", "women"]
    assert [node["slug"] for node in TREE.shown[1]["children"]] == ["women-dresses"]


def test_a_node_is_found_by_id_and_by_slug_in_any_case() -> None:
    assert TREE.find("3") is TREE.find("Women-DRESSES") is DRESSES


def test_retired_nodes_and_what_is_below_them_are_not_found() -> None:
    assert [TREE.find(reference) for reference in ("4", "women-hats", "5", "women-caps", "9", "")] == [None] * 6


def test_a_subtree_leaves_retired_branches_out_but_a_path_goes_through_them() -> None:
    assert sorted(TREE.subtree(1)) == [1, 3]
    assert [node.id for node in TREE.path(5)] == [1, 4, 5]


def test_a_loop_in_the_data_ends() -> None:
    looped = Tree([Node(1, 2, "a", "a", 0, False), Node(2, 1, "b", "b", 0, False)])
    assert {node.id for node in looped.path(1)} == {1, 2}


def test_the_cache_reads_again_when_its_time_is_up() -> None:
    now = [100.0]
    read: list[float] = []

    def reading() -> Tree:
        read.append(now[0])
        return Tree([])

    cache = TreeCache(reading, seconds=0.5, clock=lambda: now[0])
    first = cache.get()
    now[0] += 0.4
    assert cache.get() is first
    now[0] += 0.1
    assert cache.get() is not first
    assert read == [100.0, 100.5]
