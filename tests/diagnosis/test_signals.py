"""What a vibration engineer must see in a generated record (DOMAIN A1.5)."""

import dataclasses
import json

import numpy as np
import pytest

from diagnosis.faults import FAULTS
from diagnosis.operating import OperatingRange, sommerfeld_number
from diagnosis.signals import CLEAN, SignalOptions, generate, transient_modulation
from diagnosis.spectra import amplitude_spectrum

# 10 s give lines of 0.1 Hz, fine enough to tell 2X from its neighbours.
SECONDS = 10.0
# One operating point for all: 60 Hz, rated load, 60 °C, so that every factor of the table is 1.
NOMINAL = dataclasses.replace(CLEAN, operating=OperatingRange(0.0, (1.0, 1.0), (60.0, 60.0)))


def clean_spectrum(fault, severity=1.0, seed=0, options=NOMINAL):
    record = generate(fault, severity, duration=SECONDS, seed=seed, options=options)
    frequencies, amplitudes = amplitude_spectrum(record.signal, record.sampling_rate)
    return record, frequencies, amplitudes


def height(frequencies, amplitudes, low, high):
    return amplitudes[(frequencies >= low) & (frequencies <= high)].max()


def decibels(ratio):
    return 20 * np.log10(ratio)


class TestMisalignment:
    def test_second_order_is_the_tallest_line(self):
        _, frequencies, amplitudes = clean_spectrum("misalignment")
        assert frequencies[amplitudes.argmax()] == pytest.approx(120.0)

    def test_third_order_is_4_9_decibels_lower(self):
        _, frequencies, amplitudes = clean_spectrum("misalignment")
        second, third = height(frequencies, amplitudes, 119, 121), height(frequencies, amplitudes, 179, 181)
        assert decibels(second / third) == pytest.approx(4.86, abs=0.05)

    def test_there_is_no_first_order(self):
        _, frequencies, amplitudes = clean_spectrum("misalignment")
        assert height(frequencies, amplitudes, 55, 65) < 1e-3

    def test_second_order_has_the_amplitude_of_the_table(self):
        _, frequencies, amplitudes = clean_spectrum("misalignment", severity=0.5)
        assert height(frequencies, amplitudes, 119, 121) == pytest.approx(0.35 * 0.5, rel=1e-3)


class TestImbalance:
    def test_there_is_one_line_at_first_order(self):
        _, frequencies, amplitudes = clean_spectrum("imbalance")
        assert frequencies[amplitudes > 0.01].tolist() == pytest.approx([59.9, 60.0, 60.1])

    def test_it_grows_with_the_square_of_the_speed(self):
        heights = []
        for seed in range(2):
            options = dataclasses.replace(CLEAN, operating=OperatingRange(0.1, (1.0, 1.0), (60.0, 60.0)))
            record = generate("imbalance", 1.0, duration=SECONDS, seed=seed, options=options)
            heights.append((record.operating_point.speed, float(np.sqrt(2) * record.signal.std())))
        (slow, low), (fast, high) = heights
        assert slow != fast
        assert high / low == pytest.approx((fast / slow) ** 2, rel=1e-3)

    def test_it_grows_with_the_load(self):
        half_loaded = dataclasses.replace(CLEAN, operating=OperatingRange(0.0, (0.5, 0.5), (60.0, 60.0)))
        loaded, half = (generate("imbalance", 1.0, seed=3, options=options) for options in (NOMINAL, half_loaded))
        assert half.signal.std() / loaded.signal.std() == pytest.approx(0.3 + 0.7 * 0.5, rel=1e-4)


class TestOilWhirl:
    @pytest.mark.parametrize("seed", range(10))
    def test_the_tallest_line_is_at_0_42_to_0_48_of_the_speed(self, seed):
        record, frequencies, amplitudes = clean_spectrum("oil_whirl", seed=seed, options=CLEAN)
        order = frequencies[amplitudes.argmax()] / record.operating_point.speed
        assert 0.418 <= order <= 0.482

    def test_side_lines_stand_at_half_and_one_and_a_half_of_it(self):
        _, frequencies, amplitudes = clean_spectrum("oil_whirl")
        main = frequencies[amplitudes.argmax()]
        sides = [height(frequencies, amplitudes, order * main - 0.3, order * main + 0.3) for order in (0.5, 1.5)]
        # 20 % modulation leaves two side lines of a tenth of the main one; a line between bins loses up to 15 %.
        assert np.array(sides) / amplitudes.max() == pytest.approx([0.1, 0.1], rel=0.2)

    def test_there_is_no_first_order(self):
        _, frequencies, amplitudes = clean_spectrum("oil_whirl")
        assert height(frequencies, amplitudes, 55, 65) < 1e-3 * amplitudes.max()

    def test_it_is_taller_when_the_sommerfeld_number_is_small(self):
        hot = dataclasses.replace(CLEAN, operating=OperatingRange(0.0, (1.0, 1.0), (80.0, 80.0)))
        cold = dataclasses.replace(CLEAN, operating=OperatingRange(0.0, (1.0, 1.0), (40.0, 40.0)))
        thin, thick = (generate("oil_whirl", 1.0, duration=SECONDS, seed=1, options=options) for options in (hot, cold))
        expected = np.sqrt(thick.operating_point.sommerfeld / thin.operating_point.sommerfeld)
        assert thin.signal.std() / thick.signal.std() == pytest.approx(expected, rel=1e-3)


class TestClearance:
    def test_it_has_a_line_below_the_speed_and_the_first_two_orders(self):
        _, frequencies, amplitudes = clean_spectrum("looseness")
        lines = [height(frequencies, amplitudes, *band) for band in ((25.5, 29), (59, 61), (119, 121))]
        assert lines == pytest.approx([0.25, 0.18, 0.10], rel=0.16)


class TestLubrication:
    def test_the_tallest_line_is_at_2_to_5_hertz(self):
        _, frequencies, amplitudes = clean_spectrum("lubrication")
        assert 1.9 <= frequencies[amplitudes.argmax()] <= 5.1

    def test_it_is_taller_when_the_sommerfeld_number_is_small(self):
        hot = dataclasses.replace(CLEAN, operating=OperatingRange(0.0, (1.0, 1.0), (70.0, 70.0)))
        heights = [clean_spectrum("lubrication", options=options)[2].max() for options in (NOMINAL, hot)]
        # Film: exp(-0.3) thinner; temperature factor: 1.05.
        assert heights[1] / heights[0] == pytest.approx(1.05 * np.exp(0.3), rel=1e-3)


class TestCavitation:
    @pytest.mark.parametrize("seed", range(5))
    def test_the_energy_lies_between_1_5_and_2_5_kilohertz(self, seed):
        record = generate("cavitation", 1.0, seed=seed, options=NOMINAL)
        frequencies, amplitudes = amplitude_spectrum(record.signal, record.sampling_rate)
        power = amplitudes**2
        # An 8 ms burst is about 250 Hz wide, so a ring at either limit spills over it.
        inside = power[(frequencies >= 1300) & (frequencies <= 2700)].sum()
        assert inside / power.sum() > 0.95

    def test_bursts_are_rare_so_the_kurtosis_is_high(self):
        signal = generate("cavitation", 1.0, seed=4, options=NOMINAL).signal.astype(float)
        assert np.mean(signal**4) / np.mean(signal**2) ** 2 > 20

    def test_the_number_of_bursts_belongs_to_the_record_not_to_the_second(self):
        energies = [
            np.mean(
                [
                    np.sum(generate("cavitation", 1.0, duration=t, seed=k, options=NOMINAL).signal ** 2)
                    for k in range(40)
                ]
            )
            for t in (1.0, 4.0)
        ]
        assert energies[1] / energies[0] == pytest.approx(1.0, abs=0.25)


class TestWear:
    def test_the_noise_floor_rises_at_all_frequencies(self):
        options = dataclasses.replace(NOMINAL, baseline=True)
        _, frequencies, healthy = clean_spectrum("normal", options=options)
        _, _, worn = clean_spectrum("wear", options=options)
        for low, high in ((500, 1000), (3000, 4000), (9000, 10000)):
            band = (frequencies >= low) & (frequencies <= high)
            assert np.median(worn[band]) > 5 * np.median(healthy[band])


class TestMixedFaults:
    def test_misalignment_and_imbalance_show_the_first_three_orders(self):
        _, frequencies, amplitudes = clean_spectrum("combined_misalign_imbalance")
        lines = [height(frequencies, amplitudes, order * 60 - 1, order * 60 + 1) for order in (1, 2, 3)]
        assert lines == pytest.approx([0.35, 0.25, 0.15], rel=1e-3)

    @pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault.is_mixed], ids=lambda fault: fault.name)
    def test_they_fall_with_the_square_of_the_severity(self, fault):
        # 0.99 and 0.8 give the same number of bursts and contacts, since both are rounded down.
        strong, weak = (generate(fault, s, seed=2, options=NOMINAL).signal for s in (0.99, 0.8))
        assert weak.std() / strong.std() == pytest.approx((0.8 / 0.99) ** 2, rel=1e-3)

    def test_single_faults_fall_with_the_severity_itself(self):
        strong, weak = (generate("misalignment", s, seed=2, options=NOMINAL).signal for s in (1.0, 0.5))
        assert weak.std() / strong.std() == pytest.approx(0.5, rel=1e-4)

    def test_cavitation_and_clearance_show_both_bands(self):
        _, frequencies, amplitudes = clean_spectrum("combined_cavit_jeu")
        below = height(frequencies, amplitudes, 25.5, 29)
        ringing = np.sum(amplitudes[(frequencies > 1300) & (frequencies < 2700)] ** 2)
        quiet = np.sum(amplitudes[(frequencies > 4000) & (frequencies < 5400)] ** 2)
        assert below > 0.15
        assert ringing > 50 * quiet


class TestHealthy:
    def test_a_clean_healthy_record_is_silent(self):
        assert not generate("normal", seed=1, options=CLEAN).signal.any()

    def test_no_line_stands_out_but_the_mains(self):
        record = generate("normal", duration=SECONDS, seed=1)
        frequencies, amplitudes = amplitude_spectrum(record.signal, record.sampling_rate)
        lines = frequencies[(frequencies > 20) & (amplitudes > 0.006)]
        assert lines.size
        assert lines.min() > 49
        assert lines.max() < 61

    def test_its_severity_is_nominal_whatever_is_asked(self):
        record = generate("normal", "severe", seed=1)
        assert (record.severity, record.severity_start, record.severity_end) == ("nominal", 0.0, 0.0)


class TestOperatingPoint:
    def test_sommerfeld_number_at_the_nominal_point_is_0_15(self):
        assert sommerfeld_number(60.0, 1.0, 60.0) == pytest.approx(0.15)

    def test_sommerfeld_number_falls_with_temperature_and_load_and_rises_with_speed(self):
        nominal = sommerfeld_number(60.0, 0.8, 60.0)
        assert sommerfeld_number(60.0, 0.8, 65.0) < nominal
        assert sommerfeld_number(60.0, 0.9, 60.0) < nominal
        assert sommerfeld_number(63.0, 0.8, 60.0) > nominal

    @pytest.mark.parametrize(("point", "limit"), [((60.0, 1.0, 200.0), 0.05), ((60.0, 0.0, 0.0), 0.5)])
    def test_sommerfeld_number_keeps_its_limits(self, point, limit):
        assert sommerfeld_number(*point) == limit

    def test_points_are_drawn_from_the_range(self):
        points = [generate("normal", duration=0.01, seed=seed).operating_point for seed in range(200)]
        speeds, loads, degrees = (np.array([getattr(p, q) for p in points]) for q in ("speed", "load", "temperature"))
        assert (speeds >= 54).all() and (speeds <= 66).all() and speeds.std() > 2
        assert (loads >= 0.3).all() and (loads <= 1).all() and loads.std() > 0.1
        assert (degrees >= 40).all() and (degrees <= 80).all() and degrees.std() > 8

    def test_without_physics_the_sommerfeld_number_is_0_15_plus_minus_0_1(self):
        options = SignalOptions(sommerfeld_from_physics=False)
        numbers = [
            generate("wear", duration=0.01, seed=s, options=options).operating_point.sommerfeld for s in range(100)
        ]
        assert 0.05 <= min(numbers) < 0.08 < 0.22 < max(numbers) <= 0.25

    @pytest.mark.parametrize("arguments", [(0.3,), (0.1, (0.9, 0.2)), (0.1, (0.3, 1.0), (10.0, 60.0)), (float("nan"),)])
    def test_an_impossible_range_is_refused(self, arguments):
        with pytest.raises(ValueError, match="lies"):
            OperatingRange(*arguments)


class TestSeverityAndTransients:
    def test_severity_grows_in_about_three_records_of_ten(self):
        records = [generate("imbalance", 0.5, duration=0.01, seed=seed) for seed in range(500)]
        grown = [record.severity_end for record in records if record.severity_end != record.severity_start]
        assert 110 <= len(grown) <= 190
        assert set(grown) == {0.8}

    def test_severity_never_grows_beyond_one(self):
        options = dataclasses.replace(NOMINAL, evolution_chance=1.0)
        assert generate("imbalance", 0.95, seed=1, options=options).severity_end == 1.0

    def test_a_growing_fault_is_louder_at_the_end(self):
        options = dataclasses.replace(NOMINAL, evolution_chance=1.0)
        signal = generate("imbalance", 0.3, seed=1, options=options).signal
        quarter = signal.size // 4
        assert signal[-quarter:].std() / signal[:quarter].std() == pytest.approx((0.3 + 0.2625) / 0.3375, rel=0.02)

    def test_a_named_severity_is_drawn_from_its_range(self):
        starts = [generate("wear", "mild", duration=0.01, seed=seed).severity_start for seed in range(100)]
        assert 0.45 <= min(starts) < 0.5 < 0.65 < max(starts) <= 0.70

    def test_a_transient_happens_in_about_a_quarter_of_the_records(self):
        kinds = [generate("wear", duration=0.01, seed=seed).transient for seed in range(400)]
        assert 70 <= sum(kind is not None for kind in kinds) <= 130
        assert set(kinds) == {None, "speed_ramp", "load_step", "thermal_expansion"}

    def test_the_speed_ramp_runs_between_20_and_60_percent(self):
        curve = transient_modulation("speed_ramp", 1000)
        assert (curve[:201] == 0.85).all() and (curve[600:] == 1.15).all() and curve[400] == pytest.approx(1.0)

    def test_the_load_steps_at_40_percent(self):
        curve = transient_modulation("load_step", 1000)
        assert (curve[:400] == 0.7).all() and (curve[400:] == 1.0).all()

    def test_an_unknown_transient_is_refused(self):
        with pytest.raises(ValueError, match="speed_ramp"):
            transient_modulation("earthquake", 10)


class TestRecord:
    @pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
    def test_the_same_seed_gives_the_same_record(self, fault):
        first, second = (generate(fault, duration=0.1, seed=9) for _ in range(2))
        np.testing.assert_array_equal(first.signal, second.signal)
        assert first.metadata() == second.metadata()

    @pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
    def test_another_seed_gives_another_record(self, fault):
        first, second = (generate(fault, duration=0.1, seed=seed) for seed in (1, 2))
        assert not np.array_equal(first.signal, second.signal)

    def test_a_generator_is_advanced_by_each_call(self):
        rng = np.random.default_rng(5)
        first, second = (generate("wear", duration=0.1, seed=rng) for _ in range(2))
        assert not np.array_equal(first.signal, second.signal)

    def test_five_seconds_have_the_102400_samples_of_the_source(self):
        assert generate("normal", duration=5.0, seed=1).signal.size == 102_400

    def test_metadata_can_be_written_as_json(self):
        metadata = generate("cavitation", seed=1).metadata()
        assert json.loads(json.dumps(metadata)) == metadata

    @pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
    def test_a_record_of_one_sample_is_finite(self, fault):
        signal = generate(fault, sampling_rate=1.0, duration=1.0, seed=1).signal
        assert signal.size == 1 and np.isfinite(signal).all()

    @pytest.mark.parametrize(
        ("rate", "duration"), [(0, 1), (-1, 1), (1, 0), (np.nan, 1), (1, np.inf), (1e6, 1e6), (1, 0.1)]
    )
    def test_an_impossible_length_is_refused(self, rate, duration):
        with pytest.raises(ValueError, match=r"positive numbers|samples"):
            generate("wear", sampling_rate=rate, duration=duration)

    @pytest.mark.parametrize("severity", ["terrible", 1.5, float("nan")])
    def test_an_unknown_severity_is_refused(self, severity):
        with pytest.raises(ValueError, match=r"terrible|between 0 and 1"):
            generate("wear", severity)

    @pytest.mark.parametrize(
        "wrong", [{"transient_chance": 2}, {"evolution_chance": -1}, {"noise_scale": float("inf")}]
    )
    def test_impossible_options_are_refused(self, wrong):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            SignalOptions(**wrong)
