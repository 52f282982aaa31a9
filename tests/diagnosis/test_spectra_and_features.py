"""Facts about spectra, features and the matrices made of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagnosis.features import ENERGY_BANDS, REPRESENTATIONS, feature_matrix, feature_names, represent
from diagnosis.spectra import amplitude_spectrum, band_edges, envelope, envelope_spectrum, log_band_spectrum

RATE = 20_480.0
TIME = np.arange(20_480) / RATE


def sine(frequency, amplitude=1.0):
    return amplitude * np.sin(2 * np.pi * frequency * TIME + 0.3)


def feature(name, signal, rate=RATE):
    return feature_matrix(signal, rate)[0, feature_names.index(name)]


class TestAmplitudeSpectrum:
    @pytest.mark.parametrize("frequency", [2.0, 60.0, 2000.0, 10_230.0])
    def test_a_sine_shows_its_amplitude_at_its_frequency(self, frequency):
        frequencies, amplitudes = amplitude_spectrum(sine(frequency, 0.7), RATE)
        assert frequencies[amplitudes.argmax()] == frequency
        assert amplitudes.max() == pytest.approx(0.7, rel=1e-9)

    def test_a_sine_between_two_lines_loses_15_percent(self):
        assert amplitude_spectrum(sine(60.5), RATE)[1].max() == pytest.approx(0.849, abs=0.002)

    def test_the_mean_shows_as_it_is(self):
        assert amplitude_spectrum(np.full(1000, 3.0), RATE)[1][0] == pytest.approx(3.0)

    def test_a_wave_at_nyquist_shows_its_amplitude(self):
        assert amplitude_spectrum(np.tile([1.0, -1.0], 500), RATE)[1][-1] == pytest.approx(1.0)

    @pytest.mark.parametrize("samples", [1, 2, 3, 1000, 1001])
    def test_there_are_half_as_many_lines_as_samples_and_one(self, samples):
        frequencies, amplitudes = amplitude_spectrum(np.ones(samples), RATE)
        assert frequencies.shape == amplitudes.shape == (samples // 2 + 1,)
        np.testing.assert_allclose(frequencies, np.fft.rfftfreq(samples, 1 / RATE))

    def test_a_matrix_gives_the_spectra_of_its_rows(self):
        _, together = amplitude_spectrum(np.stack([sine(60), sine(90)]), RATE)
        np.testing.assert_array_equal(together[1], amplitude_spectrum(sine(90), RATE)[1])

    @pytest.mark.parametrize("signal", [[], [1.0, np.nan], [np.inf], np.zeros((2, 2, 2)), 5.0])
    def test_what_is_no_record_is_refused(self, signal):
        with pytest.raises(ValueError, match=r"samples|NaN|axes"):
            amplitude_spectrum(signal, RATE)

    @pytest.mark.parametrize("rate", [0.0, -1.0, np.nan, np.inf])
    def test_an_impossible_rate_is_refused(self, rate):
        with pytest.raises(ValueError, match="sampling rate"):
            amplitude_spectrum([1.0, 2.0], rate)


class TestEnvelope:
    def test_a_sine_in_the_band_has_its_amplitude_throughout(self):
        np.testing.assert_allclose(envelope(sine(2000, 0.4), RATE, (1000, 4000)), 0.4, rtol=1e-6)

    def test_a_sine_outside_the_band_is_gone(self):
        assert envelope(sine(60), RATE, (1000, 4000)).max() < 1e-9

    def test_the_spectrum_shows_how_often_a_ringing_repeats(self):
        frequencies, amplitudes = envelope_spectrum((1 + 0.5 * sine(37)) * sine(2000), RATE)
        assert frequencies[amplitudes.argmax()] == 37
        assert amplitudes.max() == pytest.approx(0.5, rel=1e-6)

    def test_a_band_upside_down_is_refused(self):
        with pytest.raises(ValueError, match="band"):
            envelope(sine(60), RATE, (4000, 1000))


class TestLogBandSpectrum:
    def test_ten_times_the_amplitude_is_one_decade_more(self):
        quiet, loud = (log_band_spectrum(sine(60, amplitude), RATE) for amplitude in (0.1, 1.0))
        assert loud.max() - quiet.max() == pytest.approx(1.0, abs=1e-3)

    def test_silence_is_at_minus_five(self):
        np.testing.assert_allclose(log_band_spectrum(np.zeros(1000), RATE), -5.0)

    @given(st.integers(2, 50_000), st.integers(1, 300))
    def test_bands_cover_every_line_but_the_mean_once(self, samples, bands):
        edges = band_edges(samples, RATE, bands)
        assert edges[0] == 1
        assert edges[-1] == samples // 2 + 1
        assert (np.diff(edges) >= 1).all()

    def test_a_record_of_one_sample_is_refused(self):
        with pytest.raises(ValueError, match="no spectral line"):
            log_band_spectrum([1.0], RATE)


class TestFeatures:
    def test_there_is_a_column_for_each_name(self):
        assert feature_matrix(np.ones((3, 100)), RATE).shape == (3, len(feature_names))

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("rms", 2 / np.sqrt(2)),
            ("peak", 2.0),
            ("mean_absolute", 2 * 2 / np.pi),
            ("kurtosis", 1.5),
            ("crest_factor", np.sqrt(2)),
            ("shape_factor", np.pi / (2 * np.sqrt(2))),
            ("impulse_factor", np.pi / 2),
            ("dominant_frequency", 60.0),
            ("spectral_centroid", 60.0),
            ("spectral_rolloff", 61.0),
        ],
    )
    def test_a_sine_has_the_values_of_the_textbook(self, name, value):
        assert feature(name, sine(60, 2.0)) == pytest.approx(value, rel=1e-3)

    def test_a_sine_has_no_skewness(self):
        assert feature("skewness", sine(60)) == pytest.approx(0, abs=1e-9)

    def test_gaussian_noise_has_a_kurtosis_of_three(self):
        noise = np.random.default_rng(1).standard_normal(200_000)
        assert feature("kurtosis", noise) == pytest.approx(3.0, abs=0.05)

    def test_white_noise_has_an_entropy_near_one_and_a_sine_near_zero(self):
        noise = np.random.default_rng(1).standard_normal(20_480)
        assert feature("spectral_entropy", noise) > 0.9
        assert feature("spectral_entropy", sine(60)) < 0.15

    @pytest.mark.parametrize(
        ("band", "frequency"),
        [("stick_slip", 3), ("whirl", 27), ("first_order", 60), ("second_order", 120), ("third_order", 180)],
    )
    def test_a_line_is_counted_in_its_band_and_in_no_other(self, band, frequency):
        assert ENERGY_BANDS.keys() >= {band}
        values = {name: feature(f"{name}_amplitude", sine(frequency)) for name in ENERGY_BANDS}
        assert max(values, key=values.get) == band
        assert sorted(values.values())[-2] < 1e-6

    @pytest.mark.parametrize("signal", [np.zeros(1000), np.ones(1000), np.ones(1), np.array([1.0, -1.0])])
    def test_a_record_without_shape_has_finite_features(self, signal):
        assert np.isfinite(feature_matrix(signal, RATE)).all()

    def test_a_constant_has_no_kurtosis_and_a_silent_record_no_crest_factor(self):
        assert feature("kurtosis", np.ones(1000)) == 0
        assert feature("crest_factor", np.zeros(1000)) == 0

    def test_the_broken_record_is_named_by_its_number(self):
        signals = np.zeros((5, 100))
        signals[3, 7] = np.nan
        with pytest.raises(ValueError, match="Record 3"):
            feature_matrix(signals, RATE)


class TestRepresent:
    SIGNALS = np.random.default_rng(0).standard_normal((120, 20_480)).astype(np.float32)

    def test_both_is_the_spectrum_beside_the_features(self):
        spectrum, features, both = (represent(self.SIGNALS[:3], RATE, name) for name in REPRESENTATIONS)
        np.testing.assert_array_equal(both, np.hstack([spectrum, features]))

    def test_rows_keep_their_place_over_the_borders_of_blocks(self):
        matrix = represent(self.SIGNALS, RATE, "features")
        np.testing.assert_allclose(matrix[77], feature_matrix(self.SIGNALS[77], RATE)[0], rtol=1e-9)
        assert matrix.shape[0] == 120

    def test_an_unknown_representation_is_refused(self):
        with pytest.raises(ValueError, match="spectrum, features, both"):
            represent(self.SIGNALS[:1], RATE, "wavelet")
