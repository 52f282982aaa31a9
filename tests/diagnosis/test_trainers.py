"""Facts about trainings; they run on small blobs, where the right answer is known."""

import json
import subprocess
import sys

import numpy as np
import pytest

from diagnosis.trainer_config import MODELS
from diagnosis.trainers import TrainerConfig, TrainingDiverged, log_loss, train

CLASSES = 4


def blobs(count=120, spread=1.2, seed=0):
    """Four overlapping clouds in six dimensions and their labels."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % CLASSES
    centres = np.random.default_rng(99).normal(0, 1, (CLASSES, 6))
    return centres[labels] + rng.normal(0, spread, (count, 6)), labels


TRAIN, VAL = blobs(120, seed=1), blobs(60, seed=2)


def run(config, train_part=TRAIN, val_part=VAL, n_classes=CLASSES):
    return list(train(config, *train_part, *val_part, n_classes))


def finished(config):
    """Results and the trained model that the generator returns."""
    results, model = [], None

    def collect():
        nonlocal model
        model = yield from train(config, *TRAIN, *VAL, CLASSES)

    results.extend(collect())
    return results, model


@pytest.mark.parametrize("model", MODELS)
class TestEveryModel:
    def test_there_is_one_result_for_each_epoch(self, model):
        assert [result.epoch for result in run(TrainerConfig(model, epochs=5))] == [1, 2, 3, 4, 5]

    def test_training_lowers_the_loss(self, model):
        results = run(TrainerConfig(model, epochs=15, learning_rate=None if model == "random_forest" else 0.01))
        assert results[-1].val_loss < results[0].val_loss

    def test_it_learns_more_than_chance(self, model):
        results = run(TrainerConfig(model, epochs=15, learning_rate=None if model == "random_forest" else 0.01))
        assert results[-1].val_accuracy > 0.4  # chance is 0.25

    def test_the_same_configuration_gives_the_same_numbers(self, model):
        first, second = (run(TrainerConfig(model, epochs=4, seed=5)) for _ in range(2))
        for a, b in zip(first, second, strict=True):
            assert (a.train_loss, a.val_loss, a.train_accuracy) == (b.train_loss, b.val_loss, b.train_accuracy)
            np.testing.assert_array_equal(a.confusion, b.confusion)

    def test_another_seed_gives_other_numbers(self, model):
        first, second = (run(TrainerConfig(model, epochs=2, seed=seed)) for seed in (1, 2))
        assert first[-1].val_loss != second[-1].val_loss

    def test_fewer_epochs_give_the_beginning_of_the_same_curve(self, model):
        short, long = (run(TrainerConfig(model, epochs=epochs)) for epochs in (3, 6))
        assert [r.val_loss for r in short] == [r.val_loss for r in long[:3]]

    def test_the_confusion_matrix_counts_the_validation_part(self, model):
        result = run(TrainerConfig(model, epochs=1))[0]
        assert result.confusion.sum(axis=1).tolist() == [15] * CLASSES
        assert np.trace(result.confusion) / 60 == pytest.approx(result.val_accuracy)

    def test_the_trained_model_predicts_what_was_scored(self, model):
        from sklearn.metrics import accuracy_score

        results, trained = finished(TrainerConfig(model, epochs=3))
        predicted = trained.predict_proba(VAL[0]).argmax(axis=1)
        assert accuracy_score(VAL[1], predicted) == pytest.approx(results[-1].val_accuracy)

    def test_a_class_without_training_records_has_a_column_all_the_same(self, model):
        result = run(TrainerConfig(model, epochs=2), n_classes=CLASSES + 3)[-1]
        assert result.confusion.shape == (7, 7)
        assert np.isfinite(result.val_loss)

    def test_two_classes_can_be_learned(self, model):
        x, y = TRAIN
        result = run(TrainerConfig(model, epochs=2), (x[y < 2], y[y < 2]), (x[y < 2], y[y < 2]), 2)[-1]
        assert result.confusion.sum() == 60

    def test_the_validation_part_does_not_change_the_training(self, model):
        first, second = (run(TrainerConfig(model, epochs=3), val_part=part) for part in (VAL, blobs(40, 9.0, 7)))
        assert [r.train_loss for r in first] == [r.train_loss for r in second]


class TestLearningRate:
    def test_constant_stays(self):
        assert {TrainerConfig("mlp", epochs=9, learning_rate=0.01).learning_rate_at(e) for e in range(1, 10)} == {0.01}

    def test_step_falls_by_its_factor_after_its_epochs(self):
        config = TrainerConfig("mlp", schedule="step", learning_rate=1.0, step_epochs=2, step_factor=0.1)
        assert [config.learning_rate_at(e) for e in range(1, 6)] == pytest.approx([1, 1, 0.1, 0.1, 0.01])

    def test_cosine_goes_from_the_whole_rate_to_one_percent(self):
        config = TrainerConfig("mlp", schedule="cosine", learning_rate=1.0, epochs=11)
        rates = [config.learning_rate_at(e) for e in range(1, 12)]
        assert [rates[0], rates[5], rates[10]] == pytest.approx([1.0, 0.505, 0.01])
        assert rates == sorted(rates, reverse=True)

    @pytest.mark.parametrize("optimiser", ["adam", "sgd"])
    def test_the_schedule_reaches_the_optimiser(self, optimiser):
        steep = TrainerConfig(
            "mlp", epochs=12, optimiser=optimiser, learning_rate=0.01, schedule="step", step_epochs=2, step_factor=1e-9
        )
        losses = [result.train_loss for result in run(steep)]
        assert abs(losses[1] - losses[0]) > 1e-4
        # Not at once: the momentum of SGD carries the weights on for a few epochs.
        assert abs(losses[11] - losses[10]) < 0.1 * abs(losses[1] - losses[0])

    def test_a_cut_schedule_trains_differently_only_from_its_step_on(self):
        plain, stepped = (
            run(TrainerConfig("logistic", epochs=4, schedule=schedule, step_epochs=2))
            for schedule in ("constant", "step")
        )
        assert [a.val_loss == b.val_loss for a, b in zip(plain, stepped, strict=True)] == [True, True, False, False]

    def test_results_report_the_rate_in_force(self):
        config = TrainerConfig("mlp", epochs=3, schedule="cosine", learning_rate=0.02)
        assert [result.learning_rate for result in run(config)] == [config.learning_rate_at(e) for e in (1, 2, 3)]

    def test_a_forest_reports_none(self):
        assert run(TrainerConfig("random_forest", epochs=1))[0].learning_rate is None

    @pytest.mark.parametrize("optimiser", ["adam", "sgd"])
    def test_an_absurd_rate_ends_as_a_diverged_training(self, optimiser):
        with pytest.raises(TrainingDiverged, match="smaller learning rate"):
            run(TrainerConfig("mlp", epochs=30, learning_rate=1e200, optimiser=optimiser))


class TestLogLoss:
    def test_it_equals_that_of_scikit_learn(self):
        from sklearn.metrics import log_loss as reference_log_loss

        rng = np.random.default_rng(0)
        probabilities, labels = rng.dirichlet(np.ones(5), 40), rng.integers(0, 5, 40)
        assert log_loss(probabilities, labels) == pytest.approx(
            reference_log_loss(labels, probabilities, labels=range(5))
        )

    def test_certain_and_right_is_almost_zero(self):
        assert log_loss(np.eye(3), np.arange(3)) == pytest.approx(0, abs=1e-6)

    def test_certain_and_wrong_is_finite(self):
        assert log_loss(np.eye(2), np.array([1, 0])) == pytest.approx(-np.log(1e-7), rel=1e-3)


class TestData:
    @pytest.mark.parametrize(
        ("train_part", "val_part", "sentence"),
        [
            ((np.zeros((0, 6)), []), VAL, "training part has 0 records"),
            (TRAIN, (np.zeros((0, 6)), []), "validation part has 0 records"),
            ((TRAIN[0][:5], TRAIN[1]), VAL, "5 records and 120 labels"),
            ((np.full((8, 6), np.nan), np.arange(8) % 2), VAL, "NaN"),
            ((TRAIN[0], np.zeros(120, dtype=int)), VAL, "at least two classes"),
            ((TRAIN[0], TRAIN[1] + 1), VAL, "go from 0 to 3"),
            (TRAIN, (VAL[0][:, :3], VAL[1]), "6 columns, validation 3"),
            ((TRAIN[0].ravel(), TRAIN[1]), VAL, "matrix"),
        ],
    )
    def test_what_cannot_be_learned_is_refused_at_the_call(self, train_part, val_part, sentence):
        with pytest.raises(ValueError, match=sentence):
            train(TrainerConfig("mlp"), *train_part, *val_part, CLASSES)

    def test_a_batch_larger_than_the_data_is_one_batch(self):
        assert len(run(TrainerConfig("mlp", epochs=1, batch_size=5000))) == 1

    def test_one_training_record_of_a_class_is_enough(self):
        part = (TRAIN[0][:2], np.array([0, 1]))
        assert np.isfinite(run(TrainerConfig("gradient_boosting", epochs=2), part)[-1].val_loss)


class TestConfig:
    @pytest.mark.parametrize(
        ("values", "sentence"),
        [
            ({"model": "resnet"}, "model is one of mlp"),
            ({"representation": "wavelet"}, "representation is one of"),
            ({"schedule": "plateau"}, "schedule is one of"),
            ({"optimiser": "lion"}, "optimiser is one of"),
            ({"epochs": 0}, "epochs is a whole number from 1 to 1000"),
            ({"epochs": 2.5}, "epochs is a whole number"),
            ({"epochs": True}, "epochs is a whole number"),
            ({"batch_size": -1}, "batch_size"),
            ({"seed": -1}, "seed"),
            ({"learning_rate": 0.0}, "above 0"),
            ({"learning_rate": float("nan")}, "above 0"),
            ({"learning_rate": "fast"}, "wrong kind"),
            ({"hidden_layers": []}, "at least one layer"),
            ({"hidden_layers": 64}, "list of whole numbers"),
            ({"hidden_layers": [0]}, "hidden_layers"),
            ({"weight_decay": -1.0}, "weight_decay"),
            ({"step_factor": 0.0}, "step_factor"),
            ({"max_depth": 0}, "max_depth"),
            ({"dropout": 0.5}, "no setting called dropout"),
            ({"model": "random_forest", "learning_rate": 0.1}, "no learning rate"),
            ({"model": "gradient_boosting", "schedule": "cosine"}, "gradient descent"),
        ],
    )
    def test_an_impossible_value_is_refused_by_name(self, values, sentence):
        with pytest.raises(ValueError, match=sentence):
            TrainerConfig.from_dict({"model": "mlp", **values})

    def test_a_configuration_without_model_is_refused(self):
        with pytest.raises(ValueError, match="model"):
            TrainerConfig.from_dict({"epochs": 3})

    def test_it_comes_back_from_json_as_it_was(self):
        config = TrainerConfig("mlp", hidden_layers=(32, 16), schedule="cosine", learning_rate=0.01)
        assert TrainerConfig.from_dict(json.loads(json.dumps(config.as_dict()))) == config


def test_importing_everything_loads_neither_scikit_learn_nor_scipy():
    modules = "confusion demo downsampling features learners signals smoothing splits statistics trainers"
    code = (
        f"import sys, importlib; [importlib.import_module('diagnosis.' + name) for name in {modules.split()!r}];"
        "print([name for name in ('sklearn', 'scipy', 'pandas') if name in sys.modules])"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"
