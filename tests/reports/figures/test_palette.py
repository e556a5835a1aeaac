import pytest

from reports.figures import palette


def luminance(color):
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize(("colors", "ground"), [(palette.COLORS, "#ffffff"), (palette.DARK, "#14171c")])
def test_colours_contrast_with_their_ground(colors, ground):
    for color in colors:
        light, dark = sorted((luminance(color), luminance(ground)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, color


def test_models_beyond_the_palette_have_their_own_pair_of_colour_and_marker():
    looks = {(palette.color(n), palette.marker(n)) for n in range(40)}
    assert len(looks) == 40
    assert len({(palette.color(n), palette.marker_char(n)) for n in range(40)}) == 40
