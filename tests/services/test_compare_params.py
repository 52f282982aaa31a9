"""Rows of parameters: each parameter once, and what differs is what reads differently."""

from typing import Any

import pytest

from services.compare_params import ParamRow, identity, rows_of, text_of


def rows(*experiments: dict[str, dict[str, Any]]) -> dict[str, ParamRow]:
    found = rows_of(experiments)
    assert len({row.name for row in found}) == len(found)
    return {row.name: row for row in found}


class TestEachOnce:
    def test_one_parameter_under_two_spellings_is_one_row_and_does_not_differ(self) -> None:
        found = rows({"params": {"learning_rate": 0.1}}, {"params": {"lr": 0.1}}, {"params": {"learningRate": 0.1}})
        assert [row.values for row in found.values()] == [("0.1", "0.1", "0.1")]
        assert not any(row.differs for row in found.values())

    def test_one_parameter_in_two_sections_is_one_row(self) -> None:
        found = rows({"params": {"lr": 0.1}}, {"config": {"trainer.lr": 0.2}})
        assert [(row.name, row.values) for row in found.values()] == [("lr", ("0.1", "0.2"))]

    def test_what_does_not_act_on_a_model_stays_away_though_its_configuration_holds_it(self) -> None:
        config = {"trainer.hidden": [64], "trainer.seed": 1}
        found = rows(
            {"params": {"hidden": [64], "seed": 1}, "config": config}, {"params": {"seed": 1}, "config": config}
        )
        assert {name: row.values for name, row in found.items()} == {"hidden": ("[64]", None), "seed": ("1", "1")}

    def test_fact_that_a_parameter_repeats_is_one_row(self) -> None:
        found = rows(
            {"facts": {"model": "mlp", "dataset": "D"}, "params": {"model": "mlp"}, "config": {"dataset.name": "D"}},
            {"facts": {"model": "svm", "dataset": "D"}, "params": {"model": "svm"}, "config": {"dataset.name": "D"}},
        )
        assert list(found) == ["model", "dataset"]

    def test_two_that_an_experiment_contradicts_stay_two(self) -> None:
        found = rows({"params": {"lr": 0.1}, "config": {"optimizer.lr": 0.2}}, {"params": {"lr": 0.1}})
        assert [(row.name, row.values) for row in found.values()] == [
            ("lr", ("0.1", "0.1")),
            ("config.optimizer.lr", ("0.2", None)),
        ]

    def test_parameters_of_two_sections_are_two(self) -> None:
        found = rows({"config": {"encoder.dropout": 0.1}}, {"config": {"decoder.dropout": 0.2}})
        assert list(found) == ["config.decoder.dropout", "config.encoder.dropout"]

    def test_what_was_asked_for_and_what_happened_are_told_apart(self) -> None:
        found = rows(
            {"facts": {"epochs": 7}, "params": {"epochs": 40}}, {"facts": {"epochs": 40}, "params": {"epochs": 40}}
        )
        assert {name: row.values for name, row in found.items()} == {
            "epochs of the run": ("7", "40"),
            "epochs": ("40", "40"),
        }


class TestDifferences:
    def test_missing_value_is_different(self) -> None:
        assert rows({"params": {"seed": 1}}, {"params": {}})["seed"].differs

    @pytest.mark.parametrize(
        ("one", "other"),
        [(0.001, "1e-3"), (1, 1.0), (1, "1"), (True, "True"), ("0.10", 0.1), (1e10, 10**10), (" 32", 32)],
    )
    def test_number_kept_as_text_is_the_number(self, one: Any, other: Any) -> None:
        assert not rows({"params": {"p": one}}, {"params": {"p": other}})["p"].differs

    @pytest.mark.parametrize(("one", "other"), [(1, 2), ("adam", "sgd"), (True, 1), ("007", 7), ([1], [2]), (0.1, 0.2)])
    def test_other_values_differ(self, one: Any, other: Any) -> None:
        assert rows({"params": {"p": one}}, {"params": {"p": other}})["p"].differs

    @pytest.mark.parametrize("value", ["", "é", "1e999", "nan", "-", ".", "1" * 400, {"a": object()}, float("nan")])
    def test_odd_values_are_text(self, value: Any) -> None:
        assert isinstance(text_of(value), str)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("trainer.learning_rate", ("lr",)),
        ("batchSize", ("batchsize",)),
        ("batch-size", ("batchsize",)),
        ("optimizer.type", ("optimizer",)),
        ("a/b.c", ("a", "b", "c")),
        ("", ("",)),
        ("..", ("",)),
    ],
)
def test_name_means_a_parameter_whatever_keeps_it(name: str, meant: tuple[str, ...]) -> None:
    assert identity(name) == meant
