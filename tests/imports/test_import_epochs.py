"""When steps prove what an epoch is, and when they do not."""

import pytest

from services.imports.epochs import epochs_from_series
from services.imports.run import ImportedSeries


def series(key, steps, values=None, times=None):
    return ImportedSeries.of(key, list(steps), list(values or range(len(list(steps)))), times)


def column(name, *given, **options):
    return [(row.epoch, getattr(row, name)) for row in epochs_from_series(given, **options)]


def test_steps_from_0_and_from_1_both_count_from_1():
    assert column("train_loss", series("train_loss", range(3))) == [(1, 0), (2, 1), (3, 2)]
    assert column("train_loss", series("train_loss", range(1, 4))) == [(1, 0), (2, 1), (3, 2)]


def test_repeated_step_keeps_the_later_value():
    assert column("train_loss", series("loss", [0, 1, 1, 2], [5, 4, 3, 2])) == [(1, 5), (2, 3), (3, 2)]


def test_losses_at_multiples_of_a_batch_count_are_epochs():
    given = series("train_loss", [100, 200, 300]), series("val_loss", [100, 200, 300], [7, 8, 9])
    assert column("val_loss", *given) == [(1, 7), (2, 8), (3, 9)]


def test_training_alone_at_every_50th_batch_is_not_epochs():
    assert epochs_from_series([series("train_loss", range(0, 500, 50))]) == ()


def test_training_ten_times_as_dense_as_validation_is_not_epochs():
    given = [series("train_loss", range(0, 1000, 10)), series("val_loss", range(100, 1001, 100))]
    assert epochs_from_series(given) == ()


def test_thousands_of_consecutive_steps_alone_are_batches():
    assert epochs_from_series([series("train_loss", range(1001))]) == ()
    assert len(epochs_from_series([series("train_loss", range(1000))])) == 1000


def test_key_that_says_epoch_is_believed():
    assert len(epochs_from_series([series("epoch_loss", range(1001))])) == 1001


def test_irregular_steps_are_not_epochs():
    assert epochs_from_series([series("train_loss", [3, 7, 22]), series("val_loss", [3, 7, 22])]) == ()


def test_single_value_at_step_0_is_a_summary():
    assert epochs_from_series([series("accuracy", [0], [0.9])]) == ()


def test_key_of_no_column_makes_no_epoch():
    assert epochs_from_series([series("generator_loss", range(5)), series("f1/inner", range(5))]) == ()


def test_epoch_without_a_validation_keeps_the_cell_empty():
    given = series("train_loss", range(4)), series("val_loss", [1, 3], [8, 9])
    assert column("val_loss", *given) == [(1, None), (2, 8), (3, None), (4, 9)]


class TestValidationUnderTheNextStep:
    START = series("train_loss", [0, 100, 200], [3, 2, 1], [10, 110, 210])

    def test_wall_times_show_that_it_belongs_to_the_epoch_before(self):
        end = series("val_loss", [100, 200, 300], [6, 5, 4], [90, 190, 290])
        assert column("val_loss", self.START, end) == [(1, 6), (2, 5), (3, 4)]

    def test_wall_times_show_that_the_first_one_is_missing(self):
        later = series("val_loss", [100, 200], [6, 5], [120, 220])
        assert column("val_loss", self.START, later) == [(1, None), (2, 6), (3, 5)]

    def test_without_times_a_batch_count_is_the_end_of_an_epoch(self):
        given = series("train_loss", [0, 100, 200]), series("val_loss", [100, 200, 300], [6, 5, 4])
        assert column("val_loss", *given) == [(1, 6), (2, 5), (3, 4)]

    def test_without_times_a_step_that_is_an_epoch_stays_that_epoch(self):
        given = series("train_loss", [0, 1, 2]), series("val_loss", [1, 2], [6, 5])
        assert column("val_loss", *given) == [(1, None), (2, 6), (3, 5)]

    def test_evaluation_before_training_is_not_an_epoch(self):
        given = series("train_loss", [100, 200, 300]), series("val_loss", [0, 100, 200, 300], [9, 8, 7, 6])
        assert column("val_loss", *given) == [(1, 8), (2, 7), (3, 6)]

    def test_first_epoch_alone_is_the_same_one_when_the_run_has_grown(self):
        first = [
            series("Training loss", [0], [3.0]),
            series("Test loss", [100], [6.0]),
            series("Epoch time (s)", [0], [90]),
        ]
        assert column("val_loss", *first) == [(1, 6.0)]


class TestEpochSeries:
    def test_it_places_the_steps(self):
        given = series("epoch", [99, 199], [0, 1]), series("val_loss", [99, 199], [8, 7])
        assert column("val_loss", *given) == [(1, 8), (2, 7)]

    def test_fractions_count_finished_epochs(self):
        given = series("train/epoch", [5, 10, 15, 20], [0.5, 1, 1.5, 2]), series("eval/loss", [10, 20], [8, 7])
        assert column("val_loss", *given) == [(1, 8), (2, 7)]

    def test_series_with_two_steps_in_an_epoch_is_left_out(self):
        given = [series("epoch", [1, 2, 3, 4], [0, 0, 1, 1]), series("train_loss", [1, 2, 3, 4])]
        assert epochs_from_series(given) == ()


class TestDuration:
    @pytest.mark.parametrize(("value", "seconds"), [(120.0, 120.0), (2.0, 120.0), (1 / 30, 120.0), (120_000, 120.0)])
    def test_unit_follows_from_the_wall_times(self, value, seconds):
        timer = series("Epoch time", range(4), [value] * 4, [1e9 + 121 * i for i in range(4)])
        assert [found for _, found in column("duration_seconds", timer)] == pytest.approx([seconds] * 4)

    @pytest.mark.parametrize(
        ("key", "seconds"), [("epoch_time_sec", 2), ("epoch time (min)", 120), ("epoch_minutes", 120)]
    )
    def test_unit_in_the_key_is_believed(self, key, seconds):
        assert column("duration_seconds", series(key, [0, 1], [2, 2])) == [(1, seconds), (2, seconds)]

    def test_unit_that_nothing_tells_is_not_invented(self):
        assert epochs_from_series([series("Epoch time", range(3), [5, 5, 5])]) == ()

    def test_unit_that_contradicts_the_clock_is_not_invented(self):
        assert epochs_from_series([series("Epoch time", range(3), [5, 5, 5], [1e9, 1e9 + 50, 1e9 + 100])]) == ()


class TestOptions:
    def test_caller_who_knows_the_steps_are_epochs_is_believed(self):
        assert column("val_loss", series("val_loss", [5, 9]), steps_are_epochs=True) == [(5, 0), (9, 1)]

    def test_keys_of_a_team_go_first(self):
        given = series("verlust", range(2), [8, 9]), series("train_loss", range(2), [1, 2])
        assert column("train_loss", *given, extra={"verlust": "train_loss"}) == [(1, 8), (2, 9)]

    def test_epoch_beyond_32_bits_is_refused(self):
        assert epochs_from_series([series("loss", [2**40])], steps_are_epochs=True) == ()

    def test_negative_steps_make_no_epochs(self):
        assert epochs_from_series([series("loss", [-3, -2, -1])], steps_are_epochs=True) == ()
