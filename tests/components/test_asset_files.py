"""What the browser is served: contrast, colours apart, nothing from outside."""

import itertools
import re
from pathlib import Path

import numpy as np
import pytest

from components.icons import ICON_NAMES
from components.index_template import index_string

ASSETS = Path(__file__).resolve().parents[2] / "assets"
TOKENS = (ASSETS / "10-tokens.css").read_text(encoding="utf-8")
TEXT_PAIRS = [
    (text, ground)
    for text in ("text", "text-2", "text-3")
    for ground in ("surface", "surface-sunken", "surface-raised")
] + [
    ("text", "surface-hover"),
    ("text-2", "surface-active"),
    ("text-2", "neutral-weak"),
    ("accent", "surface"),
    ("accent", "accent-weak"),
    ("on-accent", "accent-fill"),
    ("on-accent", "accent-fill-hover"),
    ("on-accent", "danger-fill"),
    *[(name, f"{name}-weak") for name in ("info", "success", "warning", "danger", "neutral")],
    *[(name, "surface") for name in ("info", "success", "warning", "danger", "neutral")],
]
# Machado, Oliveira and Fernandes 2009, complete protanopia and deuteranopia, on linear RGB.
SIGHT = {
    "all colours": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
}


def theme(name):
    block = re.search(r'(?:^|\n)(?::root, )?\[data-bs-theme="' + name + r'"\] \{(.*?)\n\}', TOKENS, re.S).group(1)
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))


def linear(colour):
    values = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def contrast(one, other):
    light, dark = sorted((float(linear(c) @ [0.2126, 0.7152, 0.0722]) for c in (one, other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def oklab(rgb):
    to_cones = np.array([[0.41222, 0.53633, 0.05145], [0.21190, 0.68070, 0.10740], [0.08830, 0.28172, 0.62998]])
    to_lab = np.array([[0.21045, 0.79362, -0.00407], [1.97800, -2.42859, 0.45059], [0.02590, 0.78277, -0.80868]])
    return to_lab @ np.cbrt(np.clip(to_cones @ np.clip(rgb, 0, 1), 0, None))


@pytest.mark.parametrize("name", ["light", "dark"])
class TestTokens:
    @pytest.mark.parametrize(("text", "ground"), TEXT_PAIRS)
    def test_text_is_readable_on_its_ground(self, name, text, ground):
        colours = theme(name)
        assert contrast(colours[text], colours[ground]) >= 4.5

    @pytest.mark.parametrize("number", range(1, 13))
    def test_curve_stands_out_from_the_page(self, name, number):
        colours = theme(name)
        assert contrast(colours[f"curve-{number}"], colours["surface"]) >= 3

    @pytest.mark.parametrize("sight", SIGHT)
    def test_twelve_curves_stay_apart(self, name, sight):
        colours = [oklab(SIGHT[sight] @ linear(theme(name)[f"curve-{i}"])) for i in range(1, 13)]
        assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(colours, 2)) > 0.06

    def test_twelve_curves_look_different_to_most_people(self, name):
        colours = [oklab(linear(theme(name)[f"curve-{i}"])) for i in range(1, 13)]
        assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(colours, 2)) > 0.14

    def test_six_curves_of_one_stroke_are_far_apart(self, name):
        colours = [oklab(linear(theme(name)[f"curve-{i}"])) for i in range(1, 7)]
        assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(colours, 2)) > 0.15

    def test_both_themes_define_the_same_colours(self, name):
        assert theme(name).keys() == theme("light").keys()


def own_files():
    return [path for path in ASSETS.rglob("*") if path.suffix in {".css", ".js", ".svg"} and "lazy" not in path.parts]


def test_titles_of_all_dialogs_have_one_size():
    styles = (ASSETS / "40-components.css").read_text(encoding="utf-8")
    assert re.search(r"\.dialog-title, \.modal-title \{ font-size: var\(--text-l\);", styles)


class TestNothingFromOutside:
    @pytest.mark.parametrize("path", own_files(), ids=lambda path: path.name)
    def test_file_asks_no_other_host(self, path):
        text = re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.S)
        text = text.replace("http://www.w3.org/2000/svg", "")
        assert re.findall(r"https?://|url\(['\"]?//|@import|import\(", text) == []

    @pytest.mark.parametrize("path", own_files(), ids=lambda path: path.name)
    def test_file_refers_only_to_files_that_exist(self, path):
        names = re.findall(r"url\(\"?(?!data:|#)([^)\"]+)\"?\)", path.read_text(encoding="utf-8"))
        assert [name for name in names if not (path.parent / name).exists()] == []

    def test_index_holds_no_script_text(self):
        assert re.findall(r"<script(?![^>]*src=)", index_string()) == []
        assert "https://" not in index_string()

    def test_every_icon_that_python_names_is_drawn(self):
        drawn = set(re.findall(r"\.icon-([\w-]+)\{", (ASSETS / "15-icons.css").read_text(encoding="utf-8")))
        assert drawn == ICON_NAMES

    def test_licences_come_along(self):
        found = {path.name for path in ASSETS.rglob("LICENSE*")}
        assert found == {
            "LICENSE-bootstrap.txt",
            "LICENSE-bootstrap-icons.txt",
            "LICENSE-inter.txt",
            "LICENSE-plotly.txt",
        }

    def test_boot_script_names_the_bundle_that_is_there(self):
        name = re.search(r"lazy/(plotly[\w.-]+\.js)", (ASSETS / "boot" / "theme-boot.js").read_text()).group(1)
        assert (ASSETS / "lazy" / name).exists()


def test_no_rule_with_has_looks_beside_or_from_the_root() -> None:
    """Each change of a page asks such a rule of every element anew: one of them took 15 ms each time."""
    rules = re.findall(r"([^{}]*:has\([^{}]*)\{", "".join(path.read_text() for path in sorted(ASSETS.glob("*.css"))))
    selectors = [one.strip() for rule in rules for one in rule.split("*/")[-1].split(",\n")]
    assert [one for one in selectors if re.search(r":has\(.*\)[^,]*\s[+~]\s|^(html|body|:root)\S*:has", one)] == []
