"""Which keys mean which column, and which values from a file are taken."""

import math
import os
import time
from pathlib import Path

import pytest

from services.imports import csv, limits, mlflow, tensorboard
from services.imports.run import BadValue, ImportSourceError
from services.imports.synonyms import meaning_of


@pytest.mark.parametrize(
    ("column", "keys"),
    [
        ("train_loss", "Training loss|loss/train|train_loss|train/loss|trainLoss|loss|train_loss_epoch|epoch_loss"),
        ("val_loss", "val_loss|Test loss (avg on test)|eval/loss|valid_loss|loss/validation|Loss/val"),
        ("train_accuracy", "accuracy|acc|train_acc|Train/Accuracy|sparse_categorical_accuracy|training_accuracy_score"),
        ("val_accuracy", "val_acc|val_accuracy|Accuracy/val|valAcc|test_accuracy|val_top1"),
        ("learning_rate", "lr|learning_rate|train/learning_rate|lr-Adam|Learning Rate"),
        ("duration_seconds", "Epoch time|epoch_time|time_per_epoch|epoch_duration|duration_s|epoch_seconds"),
    ],
)
def test_common_keys_mean_their_column(column, keys):
    assert {key: meaning_of(key) and meaning_of(key).column for key in keys.split("|")} == dict.fromkeys(
        keys.split("|"), column
    )


@pytest.mark.parametrize(
    "key", ["train_loss_step", "discriminator_loss", "accuracy_real", "IoU (avg on test)", "time", "epoch", "", "损失"]
)
def test_other_keys_mean_none(key):
    assert meaning_of(key) is None


def test_validation_goes_before_test():
    assert meaning_of("val_loss").rank < meaning_of("test_loss").rank


@pytest.mark.parametrize(
    ("text", "value"),
    [("32", 32), ("-7", -7), ("0.10", 0.1), ("1e-4", 1e-4), ("0.29514853954374903", 0.29514853954374903), ("3.0", 3.0)],
)
def test_text_that_says_a_number_becomes_it(text, value):
    found = limits.number_from_text(text)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    "text",
    ["007", "1_000", "nan", "inf", "1e999", "0.1000000000000000000001", "9" * 19 + "9", "1,5", " 1", "٣", "", "0x10"],
)
def test_text_that_would_lose_something_stays_text(text):
    assert limits.number_from_text(text) == text


def test_nul_and_lone_surrogates_are_replaced():
    assert limits.clean_text("a\x00b\ud800c\udfff") == "a\ufffdb\ufffdc\ufffd"


def test_cut_text_stays_distinct():
    one, two = limits.shortened("x" * 600 + "1", 500), limits.shortened("x" * 600 + "2", 500)
    assert one != two
    assert len(one) == len(two) == 500


@pytest.mark.parametrize("seconds", [math.nan, math.inf, -1.0, 0.0, 1e300])
def test_time_that_no_calendar_knows_is_none(seconds):
    assert limits.moment(seconds) is None


@pytest.mark.parametrize("value", [2**63, -(2**63)])
def test_integer_beyond_63_bits_is_refused(value):
    with pytest.raises(BadValue, match="63 bits"):
        limits.checked_integer(value, "The step")


def test_values_that_json_lacks_become_words():
    assert limits.plain({"a": math.nan, "b": (1, 2), "c": 2**70}, "x") == {
        "a": "nan",
        "b": [1, 2],
        "c": "0x400000000000000000",
    }


def test_nesting_without_end_is_refused():
    nested: list = []
    nested.append(nested)
    with pytest.raises(BadValue, match="deeply nested"):
        limits.plain(nested, "x")


class TestYaml:
    @staticmethod
    def read(folder, text):
        (folder / "some.yaml").write_text(text)
        began = time.process_time()  # of this process alone, whatever else the machine does
        try:
            return limits.read_yaml_mapping(folder / "some.yaml", folder, "some.yaml")
        finally:
            assert time.process_time() - began < 20

    @pytest.mark.parametrize(
        "text",
        [
            "a0: &a0 [x, x]\n" + "\n".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 60)),
            "a0: &a0 {k: x}\n" + "\n".join(f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}]}}" for n in range(1, 60)),
            f"a: &a {'x' * 30_000}\nb: [{'*a, ' * 8000}]",
            "a: &a [*a]",
            "&a {<<: *a}",
            "[" * 60_000,
            "- " * 30_000,
            "? " * 30_000,
        ],
        ids=["aliases", "merge keys", "long text", "itself", "merged with itself", "brackets", "dashes", "questions"],
    )
    def test_what_stands_for_more_than_its_file_is_refused_quickly(self, tmp_path, text):
        with pytest.raises(
            BadValue, match=r"some\.yaml (holds too many or too deeply nested values|is not plain YAML)"
        ):
            self.read(tmp_path, text)

    def test_few_aliases_and_merge_keys_are_read(self, tmp_path):
        text = "base: &base {lr: 0.1, layers: &layers [1, 2]}\nrun: {<<: *base, lr: 0.2}\nsame: *layers\n"
        assert self.read(tmp_path, text) == {
            "base": {"lr": 0.1, "layers": [1, 2]},
            "run": {"lr": 0.2, "layers": [1, 2]},
            "same": [1, 2],
        }

    def test_a_file_as_long_as_may_be_is_read(self, tmp_path):
        assert len(self.read(tmp_path, f"a: [{'1,' * 32_000}]")["a"]) == 32_000

    @pytest.mark.parametrize("digits", ["9" * 30, "9" * 5000, "1" + ":59" * 20_000, "0x" + "f" * 60_000])
    def test_whole_number_that_no_column_holds_stays_text(self, tmp_path, digits):
        assert self.read(tmp_path, f"a: {digits}") == {"a": digits}
        assert self.read(tmp_path, f"{digits[:500]}: a") == {digits[:500]: "a"}


@pytest.mark.parametrize("reader", [csv, mlflow, tensorboard])
@pytest.mark.parametrize("kind", ["circle", "pipe", "empty", "home"])
def test_name_that_leads_to_nothing_readable_is_refused(reader, kind, tmp_path):
    circle, pipe = tmp_path / "circle", tmp_path / "pipe"
    circle.symlink_to(circle)
    os.mkfifo(pipe)
    named = {"circle": str(circle), "pipe": str(pipe), "empty": "", "home": "~nobody-of-this-name/runs"}[kind]
    with pytest.raises(ImportSourceError):
        reader.count_runs(named)


def test_link_that_leads_in_a_circle_is_outside(tmp_path: Path):
    link = tmp_path / "link"
    link.symlink_to(link)
    assert not limits.is_inside(link, tmp_path)
