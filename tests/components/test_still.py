"""Facts about what is sent of a page: elements that nothing listens to go as one component."""

import json
from typing import Any

import pytest
from dash import dcc, html
from dash.development.base_component import Component
from hypothesis import given
from hypothesis import strategies as st
from plotly.io.json import to_json_plotly

from components.still import still


def tree_of(value: Any) -> Any:
    assert (value["namespace"], value["type"]) == ("pfd_still", "Still")
    return value["props"]["tree"]


def sent(value: Any) -> Any:
    return json.loads(to_json_plotly(value))


def test_elements_without_an_id_become_one_component() -> None:
    row = html.Tr([html.Td("a", className="cell"), html.Td([html.B(3), None, " of 4"], colSpan=2)])
    assert tree_of(still(row)) == [
        "tr",
        {},
        ["td", {"className": "cell"}, "a"],
        ["td", {"colSpan": 2}, ["b", {}, 3], " of 4"],
    ]


def test_attributes_of_all_kinds_go_along() -> None:
    made = html.Div(html.P("x", **{"data-kind": "a", "aria-label": "b"}, hidden=True, style={"width": "3px"}))
    assert tree_of(still(made))[2][1] == {
        "data-kind": "a",
        "aria-label": "b",
        "hidden": True,
        "style": {"width": "3px"},
    }


def test_a_link_of_the_app_stays_one() -> None:
    assert tree_of(still(html.Li(dcc.Link("Home", href="/")))) == ["li", {}, ["Link", {"href": "/"}, "Home"]]


@pytest.mark.parametrize(
    "listening",
    [html.B("x", id="b"), html.B("x", n_clicks=0), dcc.Store(id="s"), dcc.Markdown("x"), html.B({"data": "x"})],
)
def test_what_something_listens_to_stays_a_component_and_its_neighbours_are_one(listening: Component) -> None:
    made = still(html.Div([html.P(html.I("a")), "b", listening, html.P(html.I("c"))]))
    first, second, third = made.children
    assert tree_of(first) == ["", {}, ["p", {}, ["i", {}, "a"]], "b"]
    assert second is listening
    assert tree_of(third) == ["p", {}, ["i", {}, "c"]]


def test_what_is_given_stays_as_it_is() -> None:
    given_parts = [html.P(html.I("a")), html.B("x", id="b")]
    page = html.Div(given_parts)
    still(page)
    assert page.children is given_parts
    assert [type(part) for part in page.children] == [html.P, html.B]


def test_a_single_element_stays_what_it_is() -> None:
    alone = html.P("a")
    assert still(alone) is alone
    held = html.Div(alone, id="d")
    assert still(held) is held


def test_what_surrounds_one_part_has_one_part_still() -> None:
    assert tree_of(still(html.Div(html.P(html.I("a")), id="d")).children) == ["p", {}, ["i", {}, "a"]]


def test_answers_of_several_outputs_are_looked_through_and_data_is_not() -> None:
    rows = [{"props": {"children": [1]}}, [1, 2]]
    page, same, words = still((html.P(html.I("a")), rows, "text"))
    assert tree_of(page) == ["p", {}, ["i", {}, "a"]]
    assert same == rows
    assert words == "text"


TEXTS = st.text(max_size=5) | st.integers(-3, 3)


def elements(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.builds(
        lambda kind, parts, named: kind(parts, **({"id": named} if named else {})),
        st.sampled_from([html.Div, html.Span, html.Td]),
        st.lists(inner | TEXTS | st.none(), max_size=4),
        st.sampled_from(["", "", "known"]),
    )


def drawn(value: Any) -> Any:
    """The elements that stand on a page for what was sent."""
    if isinstance(value, list):
        return [one for part in value for one in drawn(part)]
    if not isinstance(value, dict):
        return [] if value is None else [value]
    if value["type"] == "Still":
        return _of_tree(value["props"]["tree"])
    props = dict(value["props"])
    return [(value["type"].lower(), props.pop("id", ""), drawn(props.pop("children", None)))]


def _of_tree(tree: Any) -> Any:
    if not isinstance(tree, list):
        return [tree]
    inner = [one for part in tree[2:] for one in _of_tree(part)]
    return inner if tree[0] == "" else [(tree[0], "", inner)]


@given(st.recursive(elements(TEXTS), elements, max_leaves=12))
def test_whatever_the_page_the_same_elements_stand_there_and_no_more_components(page: Component) -> None:
    light = sent(still(page))
    assert drawn(light) == drawn(sent(page))
    assert to_json_plotly(light).count('"namespace"') <= to_json_plotly(page).count('"namespace"')


HOSTILE = st.sampled_from(["script", "", "Link", {}, {"src": "x"}, 3, None])


def trees_in(sent_value: Any) -> list[Any]:
    """All trees of a page as it was sent, with those inside them."""
    found, todo = [], [sent_value]
    while todo:
        value = todo.pop()
        if isinstance(value, dict) and value.get("type") == "Still":
            found.append(value["props"]["tree"])
        elif isinstance(value, dict | list):
            todo += value.values() if isinstance(value, dict) else value
    for tree in found:
        found += [part for part in tree[2:] if isinstance(part, list)]
    return found


@given(st.recursive(HOSTILE, lambda inner: st.lists(inner, max_size=3), max_leaves=6))
def test_what_a_row_holds_never_becomes_an_element(value: Any) -> None:
    page = html.Div([html.P(html.I("a")), html.Td(value), html.P(html.I("c"))])
    trees = trees_in(sent(still(page)))
    assert {tree[0] for tree in trees} <= {"div", "p", "i", "td", ""}
    assert all(tree[1] == {} for tree in trees)
    assert {tree[0] for tree in trees} >= {"p", "i"}
