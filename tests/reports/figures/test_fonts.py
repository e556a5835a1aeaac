"""Letters that no font has are drawn as codes; no warning reaches the user."""

import re
import warnings
from dataclasses import replace

import pytest

from recsys_data.printable import map_texts
from reports.figures import fonts
from reports.figures.draw import draw, text_width
from tests.reports.figures.test_draw import FIGURES

LABELS = ["用户模型", "モデル", "모델", "🙂🙃", "🇩🇪", "ไทย", "हिन्दी", "Ω→≈ Ä"]


def test_letters_without_a_font_are_visible_codes(monkeypatch):
    monkeypatch.setattr(fonts, "_drawable_characters", lambda: frozenset(map(ord, "äΩ")))
    assert fonts.drawable("plain äΩ 用🙂") == r"plain äΩ \u7528\U0001f642"
    assert fonts.drawable("用\ue000", keep="\ue000") == "\\u7528\ue000"


def test_the_main_font_comes_first():
    assert fonts.families()[0] == fonts.MAIN
    assert fonts.drawable("Ω→≈★†−") == "Ω→≈★†−"


@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.kind)
def test_no_label_gives_a_warning(figure, label):
    named = map_texts(lambda text: text.replace("A", label), figure.data)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        svg = draw(replace(figure, data=named))
    assert svg.startswith("<svg ")


def test_a_label_without_a_font_is_drawn_as_its_codes(monkeypatch):
    monkeypatch.setattr(fonts, "_drawable_characters", lambda: frozenset(range(0x250)))

    def drawn(label):
        data = map_texts(lambda text: text.replace("A", label), FIGURES[1].data)
        return re.sub("<title>.*?</title>", "", draw(replace(FIGURES[1], data=data)))  # a tooltip has the label itself

    assert drawn("用") == drawn(r"\u7528")
    assert text_width("用" * 5) == text_width(r"\u7528" * 5)
