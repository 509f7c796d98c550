"""Disturbances against the laws that they follow."""

from __future__ import annotations

import importlib.util
import itertools

import numpy as np
import pytest
import skimage.data
from PIL import Image as PilImage
from skimage.color import rgb2lab

from semcom.disturbances.apply import Disturb, disturbed
from semcom.disturbances.corruptions import CORRUPTIONS
from semcom.disturbances.cue_conflict import outline
from semcom.disturbances.jitter import Jitter
from semcom.disturbances.occlusion import SHARES
from semcom.disturbances.weather.drops import COVER
from semcom.disturbances.weather.fog import VISIBILITY_M
from semcom.disturbances.weather.light import FAR_M, from_light, to_light, veil
from semcom.errors import InputError
from semcom.images import load_image, peek
from semcom.scores.psnr import psnr_db

WEATHER = ("fog", "rain", "snow", "night", "drops")
needs_corruptions = pytest.mark.skipif(
    importlib.util.find_spec("imagecorruptions") is None, reason="needs the extra robustness"
)


@pytest.fixture(scope="module")
def scene():
    return np.ascontiguousarray(skimage.data.astronaut()[:256])


@pytest.fixture(scope="module")
def disc():
    y, x = np.mgrid[:256, :512]
    return np.hypot(y - 120, x - 200) < 70


@pytest.mark.parametrize("name", [*WEATHER, "occlusion"])
def test_each_severity_disturbs_more(scene, name):
    psnrs = [psnr_db(scene, disturbed(scene, Disturb(name, level))) for level in range(1, 6)]
    assert (np.diff(psnrs) < 0).all()
    assert 35 > psnrs[0] > psnrs[-1] > 4


@needs_corruptions
@pytest.mark.parametrize("name", [n for n in CORRUPTIONS if n not in ("fog", "snow")])
def test_corruptions_disturb_more_at_the_end(scene, name):
    weak, strong = (psnr_db(scene, disturbed(scene, Disturb(name, level))) for level in (1, 5))
    assert weak > strong


def test_fog_follows_koschmieders_law():
    """On a black scene, what is at the horizon shows the airlight times one minus transmittance."""
    black, mean = np.zeros((200, 300, 3), np.uint8), []
    for level in range(1, 6):
        light = to_light(disturbed(black, Disturb("fog", level)))
        mean.append(light[:80].mean())
    expected = 0.75 * (1 - np.exp(-3 * FAR_M / np.array(VISIBILITY_M)))
    assert np.allclose(mean, expected, rtol=0.06)


def test_a_contrast_of_five_per_cent_is_left_at_the_visibility():
    black, white = (np.full((64, 64, 3), v, np.float32) for v in (0, 1))
    seen = [veil(light, 3 / FAR_M, 0.5) for light in (black, white)]
    assert float((seen[1] - seen[0])[0, 0, 0]) == pytest.approx(0.05, abs=0.001)


def test_light_converts_there_and_back():
    values = np.arange(256, dtype=np.uint8)
    assert (from_light(to_light(values)) == values).all()
    assert float(to_light(np.uint8(128))) == pytest.approx(0.2159, abs=1e-4)  # IEC 61966-2-1


@pytest.mark.parametrize("name", ["rain", "snow"])
def test_falling_water_covers_the_same_share_of_a_picture_of_any_size(name, monkeypatch):
    """Without the veil, a black scene shows the light of drops or flakes alone."""
    monkeypatch.setattr(f"semcom.disturbances.weather.{name}.veil", lambda light, *_: light)
    added = []
    for height in (64, 120, 480, 1080):
        black = np.zeros((height, 3 * height // 2, 3), np.uint8)
        added.append(to_light(disturbed(black, Disturb(name, 3))).mean())
    assert np.allclose(added, added[2], rtol=0.3), added


def test_night_keeps_lamps_and_halves_the_rest():
    scene = np.full((64, 96, 3), 120, np.uint8)
    scene[20:30, 20:30] = 255
    seen = [to_light(disturbed(scene, Disturb("night", level))) for level in (1, 2)]
    assert all(s[20:30, 20:30].mean() > 0.7 for s in seen)
    # One stop less light, of which the camera gives back 45 %.
    ratio = seen[0][40:].mean() / seen[1][40:].mean()
    assert ratio == pytest.approx(2 ** (1 - 0.45), rel=0.03)


def test_drops_of_a_weaker_severity_are_among_those_of_a_stronger_one(scene):
    hidden = [(disturbed(scene, Disturb("drops", k)) != scene).any(axis=2) for k in (1, 3, 5)]
    for weak, strong in itertools.pairwise(hidden):
        assert (strong | ~weak).mean() > 0.999
    assert hidden[2].mean() <= COVER[4] + 0.05


@pytest.mark.parametrize("where", ["anywhere", "object", "background"])
def test_occlusion_hides_its_share_where_it_is_told(scene, disc, where):
    for level, share in enumerate(SHARES, 1):
        seen = disturbed(scene, Disturb(f"occlusion:where={where}", level), truth=disc)
        grey = (seen == 128).all(axis=2)
        place = {"anywhere": np.ones_like(disc), "object": disc, "background": ~disc}[where]
        assert grey[place].mean() == pytest.approx(share, abs=0.06)
        assert grey[~place].mean() < 0.12 if (~place).any() else True
        assert (seen[~grey] == scene[~grey]).all()


def test_colours_become_those_of_the_other_picture(scene, tmp_path):
    other = skimage.data.coffee()
    PilImage.fromarray(other).save(tmp_path / "other.png")
    spec = f"style:picture={tmp_path / 'other.png'}"
    theirs = rgb2lab(other).mean(axis=(0, 1))
    away = [
        np.abs(rgb2lab(disturbed(scene, Disturb(spec, k))).mean(axis=(0, 1)) - theirs).sum()
        for k in range(1, 6)
    ]
    assert (np.diff(away) < 0).all()
    assert away[-1] < 12


def test_photos_of_scikit_image_are_known_by_name(scene, tmp_path):
    PilImage.fromarray(skimage.data.coffee()).save(tmp_path / "coffee.png")
    by_name = disturbed(scene, Disturb("style"))
    assert (by_name == disturbed(scene, Disturb(f"style:picture={tmp_path}/coffee.png"))).all()
    assert Disturb("style").pinned.startswith("style:sha256=")
    assert Disturb(Disturb("style").pinned).pinned == Disturb("style").pinned


def test_low_frequencies_become_those_of_the_other_picture(scene, tmp_path):
    other = np.ascontiguousarray(skimage.data.coffee()[:256, :512])
    PilImage.fromarray(other).save(tmp_path / "other.png")
    seen = disturbed(scene, Disturb(f"style:picture={tmp_path / 'other.png'},kind=fourier", 3))
    assert seen.mean() == pytest.approx(other.mean(), abs=8)
    detail = [p.astype(float) - np.roll(p.astype(float), 1, axis=1) for p in (scene, seen)]
    assert np.corrcoef(detail[0].ravel(), detail[1].ravel())[0, 1] > 0.9


def test_the_cues_conflict(scene, disc):
    texture, contour = (disturbed(scene, Disturb("cue_conflict", k), truth=disc) for k in (1, 5))
    line = outline(disc[:, ::-1])
    assert (contour[~line] == 128).all()
    assert (contour[line] < 100).all()
    inside, outside = texture[disc].astype(float), texture[~disc].astype(float)
    assert abs(inside.mean() - outside.mean()) < 2  # brightness is no cue
    assert inside.std() > 15
    assert outside.std() > 15


def test_brightness_is_no_cue_to_a_small_object(scene):
    small = np.zeros(scene.shape[:2], bool)
    small[100:124, 200:230] = True
    for top in range(3):  # another picture has another seed
        seen = disturbed(scene[top:], Disturb("cue_conflict", 1), truth=small[top:]).astype(float)
        assert abs(seen[small[top:]].mean() - seen[~small[top:]].mean()) < 2


def test_an_object_that_leaves_the_frame_has_no_line_there(disc):
    cut = disc[120:]
    line = outline(cut)
    assert line[0].sum() < 10  # its two ends
    assert not outline(np.ones((40, 50), bool)).any()


def test_jitter_is_one_grey_level(scene):
    change = disturbed(scene, Disturb("jitter", 5)).astype(int) - scene
    assert set(np.unique(change)) == {-1, 0, 1}


def test_pictures_made_elsewhere(scene, tmp_path):
    for level in (1, 2):
        (tmp_path / "fog" / str(level)).mkdir(parents=True)
    PilImage.fromarray(255 - scene).save(tmp_path / "fog" / "1" / "a.png")
    PilImage.fromarray(scene[:100]).save(tmp_path / "fog" / "2" / "a.png")
    how = Disturb(f"from_folder:path={tmp_path / 'fog'}", 1)
    assert (disturbed(scene, how, source="pictures/a.jpg") == 255 - scene).all()
    broken = tmp_path / "fog" / "1" / "b.png"
    broken.symlink_to("nowhere.png")  # is no picture
    (tmp_path / "fog" / "1" / "c.png").mkdir()
    assert (disturbed(scene, how, source="pictures/a.jpg") == 255 - scene).all()
    with pytest.raises(ValueError, match=r"512x100 pixels, .* of a\.jpg, shrunk or not, 512x256"):
        disturbed(scene, Disturb(how.name, 2), source="a.jpg")
    with pytest.raises(ValueError, match="has no pictures named 'b'"):
        disturbed(scene, how, source="b.jpg")
    with pytest.raises(ValueError, match="comes from no file"):
        disturbed(scene, how)
    with pytest.raises(InputError, match="fog has no folder 3 for severity 3, only 1, 2"):
        disturbed(scene, Disturb(how.name, 3), source="a.jpg")


@pytest.mark.parametrize("ending", ["jpg", "png", "tif"])
def test_the_head_of_a_file_tells_the_size_of_the_upright_picture(scene, tmp_path, ending):
    source, other = tmp_path / f"a.{ending}", tmp_path / "made" / "a.png"
    turned = PilImage.fromarray(scene)
    turned.getexif()[274] = 6  # lies on its side
    turned.save(source, exif=turned.getexif())
    assert peek(source) == load_image(source)[0].shape[:2] == (512, 256)
    other.parent.mkdir()
    how = f"from_folder:path={other.parent}"
    PilImage.fromarray(np.rot90(scene)).save(other)
    Disturb(how).check_sources([str(source)])
    PilImage.fromarray(scene).save(other)
    with pytest.raises(InputError, match=r"512x256 pixels, .* shrunk or not, 256x512"):
        Disturb(how).check_sources([str(source)])
    with pytest.raises(InputError, match="made has no pictures named 'b'"):
        Disturb(how).check_sources(["b.png"])


@pytest.mark.parametrize(
    ("name", "severity", "message"),
    [
        ("rainn", 3, r"unknown disturbance 'rainn' \(did you mean 'rain'"),
        ("fog", 0, "severity must be 1 to 5, got 0"),
        ("fog", 6, "severity must be 1 to 5, got 6"),
        ("occlusion:where=left", 3, "unknown place 'left'; choices: anywhere, object, background"),
        (
            "style:picture=x.png",
            3,
            "there is no file 'x.png'; give one, or a photo of scikit-image",
        ),
        ("style:picture=x.png,kind=lab", 3, "unknown kind 'lab'; choices: colour, fourier"),
        ("from_folder:path=nowhere", 3, "there is no folder 'nowhere'"),
        ("from_folder:path=~nobody-at-all", 3, "there is no folder '~nobody-at-all'"),
        ("style:picture=~nobody-at-all/x.png", 3, "there is no file '~nobody-at-all/x.png'"),
        ("fog", True, "severity must be 1 to 5, got True"),
        (3, 3, "disturbance must be a name, got 3"),
        (["fog"], 3, r"disturbance must be a name, got \['fog'\]"),
    ],
)
def test_what_cannot_be_is_refused(name, severity, message):
    with pytest.raises(ValueError, match=message):
        Disturb(name, severity)


def test_what_does_not_fit_is_refused(scene, disc):
    how = Disturb("occlusion:where=object")
    with pytest.raises(ValueError, match=r"true mask must be bool of shape \(256, 512\)"):
        disturbed(scene, how, truth=disc[:100])
    with pytest.raises(ValueError, match="an image must be uint8 of shape"):
        disturbed(scene.astype(float), how, truth=disc)
    with pytest.raises(InputError, match=r"how must be a Disturb such as .*, got 'fog'"):
        disturbed(scene, "fog")
    with pytest.raises(ValueError, match=r"severity must be 1 to 5, got 2\.0"):
        Disturb("fog", 2.0)
    assert repr(Disturb("fog", np.int64(2))) == repr(Disturb("fog", 2))


def test_the_truth_is_given_only_to_those_who_need_it(scene, disc, monkeypatch):
    given = []
    monkeypatch.setattr(Jitter, "__call__", lambda _, image, **about: given.append(about) or image)
    disturbed(scene, Disturb("jitter"), truth=disc)
    assert given[0]["truth"] is None


def test_a_missing_mask_and_a_tiny_picture_are_refused(scene):
    with pytest.raises(ValueError, match="needs the true mask of the object"):
        disturbed(scene, Disturb("cue_conflict"))
    with pytest.raises(ValueError, match="at least 32x32 pixels, this one has 40x31"):
        disturbed(scene[:31, :40], Disturb("jitter"))


def test_the_seed_does_not_depend_on_whether_the_files_are_pinned(scene, monkeypatch):
    seeds = []
    monkeypatch.setattr(
        "semcom.disturbances.style.Style.__call__",
        lambda _, image, *, seed, **__: seeds.append(seed) or image,
    )
    for name in ("style:kind=fourier", Disturb("style:kind=fourier").pinned):
        disturbed(scene, Disturb(name))
    assert seeds[0] == seeds[1]


def test_the_seed_does_not_depend_on_the_severity(scene):
    """The places that are hidden at a weak severity are hidden at a stronger one, too."""
    weak, strong = ((disturbed(scene, Disturb("occlusion", k)) == 128).all(axis=2) for k in (2, 4))
    assert (strong | ~weak).all()
