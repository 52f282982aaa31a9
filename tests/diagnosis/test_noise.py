"""Facts about the layers of noise."""

import numpy as np
import pytest

from diagnosis.augmentation import augment
from diagnosis.noise import ALL_LAYERS, NoiseLayer, disturb
from diagnosis.spectra import amplitude_spectrum

RATE = 20_480.0
SILENCE = np.zeros(102_400)


def only(layer, seed=0, scale=1.0, signal=SILENCE):
    return disturb(signal, RATE, np.random.default_rng(seed), {layer}, scale)


def test_there_are_eight_layers():
    assert len(ALL_LAYERS) == 8


def test_without_layers_the_signal_stays_as_it_is():
    signal = np.linspace(0, 1, 100)
    np.testing.assert_array_equal(disturb(signal, RATE, np.random.default_rng(1), frozenset()), signal)


@pytest.mark.parametrize("layer", NoiseLayer)
def test_the_input_is_never_written_to(layer):
    signal = np.zeros(20_480)
    only(layer, seed=3, signal=signal)
    assert not signal.any()


def test_switching_one_layer_off_leaves_the_others_as_they_were():
    with_all = disturb(SILENCE, RATE, np.random.default_rng(4), {NoiseLayer.MAINS, NoiseLayer.PINK})
    np.testing.assert_allclose(with_all - only(NoiseLayer.MAINS, 4), only(NoiseLayer.PINK, 4), atol=1e-15)


def test_measurement_noise_has_a_deviation_of_0_03():
    assert only(NoiseLayer.MEASUREMENT).std() == pytest.approx(0.03, rel=0.02)


@pytest.mark.parametrize("seed", range(5))
def test_mains_is_a_line_at_50_to_60_hertz(seed):
    frequencies, amplitudes = amplitude_spectrum(only(NoiseLayer.MAINS, seed), RATE)
    assert 49.8 <= frequencies[amplitudes.argmax()] <= 60.2
    assert 0.0085 <= amplitudes.max() <= 0.0151


def test_the_power_of_pink_falls_with_the_square_of_the_frequency():
    frequencies, amplitudes = amplitude_spectrum(only(NoiseLayer.PINK), RATE)
    low, high = (np.mean(amplitudes[(frequencies > f) & (frequencies < 2 * f)] ** 2) for f in (10, 100))
    assert np.log10(low / high) == pytest.approx(2.0, abs=0.25)


def test_quantisation_leaves_steps_of_a_thousandth():
    rounded = only(NoiseLayer.QUANTISATION, signal=np.linspace(-1, 1, 999)) / 0.001
    np.testing.assert_allclose(rounded, np.rint(rounded), atol=1e-9)


def test_quantisation_comes_before_the_later_layers():
    signal = disturb(np.linspace(-1, 1, 20_480), RATE, np.random.default_rng(0))
    off_grid = np.abs(signal / 0.001 - np.rint(signal / 0.001))
    assert off_grid.max() > 0.1


def test_the_sensor_drifts_by_a_thousandth_over_the_record():
    drift = only(NoiseLayer.SENSOR_DRIFT)
    assert abs(drift[-1] - drift[0]) == pytest.approx(0.001)


def test_one_record_in_ten_holds_a_tone_folded_to_just_below_nyquist():
    tones = [tone for seed in range(300) if (tone := only(NoiseLayer.ALIASING, seed, signal=np.zeros(2048))).any()]
    assert 15 <= len(tones) <= 48
    frequencies, amplitudes = amplitude_spectrum(tones[0], RATE)
    assert RATE / 2 - 310 <= frequencies[amplitudes.argmax()] <= RATE / 2 - 90


def test_impulses_come_about_twice_a_second_with_heights_of_0_02_to_0_05():
    counts, heights = [], []
    for seed in range(40):
        disturbed = np.abs(only(NoiseLayer.IMPULSES, seed))
        counts.append(np.count_nonzero(np.diff((disturbed > 0).astype(int)) == 1))
        heights.append(disturbed[disturbed > 0])
    assert np.mean(counts) == pytest.approx(10, abs=2)
    assert np.median(np.concatenate(heights)) == pytest.approx(0.035, abs=0.006)


def test_the_scale_multiplies_the_noise():
    np.testing.assert_allclose(only(NoiseLayer.DRIFT, 1, scale=4.0), 4 * only(NoiseLayer.DRIFT, 1), rtol=1e-12)


class TestAugment:
    SIGNAL = np.sin(np.arange(1000) / 10).astype(np.float32)

    def test_a_shift_keeps_every_sample_and_moves_at_most_two_percent(self):
        ramp = np.arange(1000, dtype=np.float32)
        starts = {int(augment(ramp, seed, ("time_shift",))[0]) for seed in range(200)}
        assert starts <= {*range(21), *range(980, 1000)}
        assert len(starts) > 20

    def test_a_scale_lies_between_0_85_and_1_15(self):
        factors = [augment(self.SIGNAL, seed, ("amplitude_scale",)).std() / self.SIGNAL.std() for seed in range(100)]
        assert 0.849 <= min(factors) < 0.9 < 1.1 < max(factors) <= 1.151

    def test_added_noise_has_a_deviation_of_0_02_to_0_05(self):
        added = [(augment(self.SIGNAL, seed, ("noise_injection",)) - self.SIGNAL).std() for seed in range(50)]
        assert 0.018 <= min(added) < 0.03 < 0.04 < max(added) <= 0.053

    def test_the_original_stays_as_it_is(self):
        before = self.SIGNAL.copy()
        augment(self.SIGNAL, 1)
        np.testing.assert_array_equal(self.SIGNAL, before)

    def test_an_unknown_method_is_refused(self):
        with pytest.raises(ValueError, match="time_shift"):
            augment(self.SIGNAL, 1, ("mixup",))
