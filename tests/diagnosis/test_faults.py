"""Facts about the eleven classes and the severities."""

import pytest

from diagnosis.faults import FAULT_NAMES, FAULTS, SEVERITY_RANGES, Severity, fault_of, severity_of


def test_there_are_eleven_classes_in_index_order():
    assert [fault.index for fault in FAULTS] == list(range(11))


def test_one_class_is_healthy_seven_are_single_and_three_mixed():
    assert [fault.is_mixed for fault in FAULTS] == [False] * 8 + [True] * 3


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
@pytest.mark.parametrize("change", [str, str.upper, lambda text: f"  {text} ", lambda text: text.replace("_", "-")])
def test_each_of_the_three_spellings_leads_to_its_class(fault, change):
    assert [fault_of(change(text)) for text in (fault.code, fault.name, fault.shown)] == [fault] * 3


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        ("Désalignement", "misalignment"),
        ("OilWhirl", "oil_whirl"),
        ("oil whirl", "oil_whirl"),
        ("combined-wear lube", "combined_wear_lube"),
        ("misalignment+imbalance", "combined_misalign_imbalance"),
        (7, "oil_whirl"),
    ],
)
def test_accents_blanks_and_signs_do_not_matter(spelling, name):
    assert fault_of(spelling).name == name


@pytest.mark.parametrize("spelling", ["", "gear", "_", "é", 11, -1])
def test_an_unknown_class_is_refused_with_the_known_ones(spelling):
    with pytest.raises(ValueError, match="oil_whirl"):
        fault_of(spelling)


def test_the_parts_of_mixed_faults_are_single_faults():
    assert {part for fault in FAULTS for part in fault.parts} <= set(FAULT_NAMES[1:8])


def test_severity_ranges_meet_without_gap():
    ranges = [SEVERITY_RANGES[severity] for severity in list(Severity)[1:]]
    assert [upper for _, upper in ranges] == [lower for lower, _ in ranges[1:]] + [1.0]


@pytest.mark.parametrize(
    ("factor", "severity"),
    [(0.0, "nominal"), (0.19, "nominal"), (0.2, "incipient"), (0.45, "mild"), (0.7, "moderate"), (1.0, "severe")],
)
def test_a_factor_on_a_border_belongs_to_the_higher_severity(factor, severity):
    assert severity_of(factor) == severity


@pytest.mark.parametrize("factor", [-0.1, 1.1, float("nan")])
def test_a_factor_outside_zero_and_one_is_no_severity(factor):
    with pytest.raises(ValueError, match="between 0 and 1"):
        severity_of(factor)
