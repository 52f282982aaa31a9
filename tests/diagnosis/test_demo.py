"""Facts about the demo: its numbers come from a training and look like one."""

import json
from functools import cache
from itertools import islice

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from diagnosis.demo import DEMO_CONFIGS, DEMO_SEEDS, demo_config, demo_dataset
from diagnosis.features import represent
from diagnosis.splits import stratified_split
from diagnosis.trainers import train


@pytest.fixture(scope="module")
def dataset():
    return demo_dataset(7)


@pytest.fixture(scope="module")
def histories(dataset):
    """The first epochs of each training under the first seed; the rest adds a tenth at the most."""
    split = stratified_split(dataset.labels, seed=7)
    made = {}
    seen_as = cache(lambda name: represent(dataset.signals, dataset.sampling_rate, name))
    with threadpool_limits(limits=1):  # as in the worker; on small matrices threads only wait for each other
        for name in DEMO_CONFIGS:
            config = demo_config(name, DEMO_SEEDS[0])
            x = seen_as(config.representation)
            y = dataset.labels
            epochs = train(config, x[split.train], y[split.train], x[split.val], y[split.val], 11)
            made[name] = list(islice(epochs, 8))
    return made


def test_each_class_has_60_records_of_one_second(dataset):
    assert dataset.signals.shape == (660, 20_480)
    assert np.bincount(dataset.labels).tolist() == [60] * 11


def test_labels_and_metadata_name_the_same_faults(dataset):
    assert [entry["fault_index"] for entry in dataset.metadata] == dataset.labels.tolist()


def test_faults_come_in_all_four_severities_alike(dataset):
    named = [entry["severity"] for entry in dataset.metadata if entry["fault"] == "wear"]
    assert {name: named.count(name) for name in set(named)} == dict.fromkeys(
        ("incipient", "mild", "moderate", "severe"), 15
    )


def test_metadata_can_be_written_as_json(dataset):
    assert json.loads(json.dumps(dataset.metadata)) == list(dataset.metadata)


def test_the_same_seed_gives_the_same_records():
    first, second = (demo_dataset(3, records_per_class=1) for _ in range(2))
    np.testing.assert_array_equal(first.signals, second.signals)


@pytest.mark.parametrize("name", DEMO_CONFIGS)
def test_the_classes_are_hard_enough_that_no_model_starts_good(histories, name):
    assert histories[name][0].val_accuracy < 0.7


@pytest.mark.parametrize("name", DEMO_CONFIGS)
def test_every_model_learns(histories, name):
    first, last = histories[name][0], histories[name][-1]
    assert last.val_accuracy > first.val_accuracy + 0.2
    assert 0.6 < last.val_accuracy < 1.0
    assert last.val_loss < 0.7 * first.val_loss


@pytest.mark.parametrize("name", DEMO_CONFIGS)
def test_there_are_30_to_60_epochs(name):
    assert all(30 <= demo_config(name, seed).epochs <= 60 for seed in DEMO_SEEDS)


def test_an_unknown_configuration_is_refused():
    with pytest.raises(ValueError, match="no configuration"):
        demo_config("ResNet", 1)
