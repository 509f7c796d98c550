"""The report in a real browser, without a screen: what a reader clicks, drags and types."""

from __future__ import annotations

import base64
import csv
import io
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image as PilImage

from tests.experiments.report.clickable import EVIL, make_report

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

sync_api = pytest.importorskip("playwright.sync_api")
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium or google-chrome here")


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_report(tmp_path_factory.mktemp("page"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_api.sync_playwright() as playwright:
        options = {"executable_path": CHROMIUM, "args": ["--no-sandbox"]}
        browser = playwright.chromium.launch(**options)
        yield browser
        browser.close()


@pytest.fixture
def show(browser: Browser, file: Path) -> Iterator[Callable[..., Page]]:
    """Open the report; anything on the console, and any request but for the page, is an error."""
    said: list[str] = []
    asked: list[str] = []
    pages = []

    def show(**options: Any) -> Page:
        page = browser.new_page(**{"viewport": {"width": 1280, "height": 900}, **options})
        page.set_default_timeout(10_000)
        page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: said.append(dialog.message))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(file.as_uri())
        pages.append(page)
        return page

    yield show
    for page in pages:
        page.close()
    assert said == []
    assert {url for url in asked if not url.startswith("data:")} == {file.as_uri()}


def clip(page: Page) -> float:
    """Return where the left picture is cut off, in percent of its width."""
    style = "getComputedStyle(document.getElementById('left-side')).clipPath"
    # inset(0px calc(100% - 50%) 0px 0px), or the same simplified to inset(0px 50% 0px 0px)
    right = page.evaluate(style).removeprefix("inset(0px ").rpartition(" 0px 0px)")[0]
    parts = [float(part) for part in re.sub(r"calc|[()%]", "", right).split(" - ")]
    return 100 - (parts[0] if len(parts) == 1 else parts[0] - parts[1])


def shown(page: Page, side: str, layer: str = "shown") -> bytes:
    """Return the picture on a side, which the browser must be able to show."""
    picture = page.locator(f"#{side}-side .{layer}")
    assert picture.evaluate("async (img) => { await img.decode(); return img.naturalWidth }") > 0
    return base64.b64decode((picture.get_attribute("src") or "").partition(",")[2])


def column(page: Page, table: str, place: int) -> list[str]:
    cells = page.locator(f"table:has(caption:text-is('{table}')) tbody td:nth-child({place})")
    return cells.all_text_contents()


def test_it_opens_with_the_anchor_on_the_left(show: Callable[..., Page]) -> None:
    page = show()
    assert page.title() == f"Faces {EVIL}"
    assert page.locator("h1").text_content() == f"Faces {EVIL}"
    assert page.locator("#left-name").text_content() == "blind"
    assert page.locator("#right-name").text_content() == "masks"
    assert shown(page, "left") != shown(page, "right")


def test_choices_change_pictures_and_scores(show: Callable[..., Page]) -> None:
    page = show()
    name = (page.get_by_label("image", exact=True).inner_text()).splitlines()[1]
    choices = {"image": name, "channel": "rayleigh", "CBR": "1", "SNR": "20 dB"}
    for label, choice in choices.items():
        before = shown(page, "left"), page.locator("#scores").inner_text()
        page.get_by_label(label, exact=True).select_option(label=choice)
        picture, scores = shown(page, "left"), page.locator("#scores").inner_text()
        assert picture != before[0]
        assert scores != before[1]
        assert choice in (page.locator("#shown").text_content() or "")
    page.get_by_label("right", exact=True).select_option(label="the original")
    assert "the original" in (page.locator("#shown").text_content() or "")
    assert shown(page, "right") != shown(page, "left")
    again = page.locator("#again").text_content() or ""
    assert re.fullmatch(r"(semcom repeat \S*results\.db \w+\s*)+", again), again


def test_what_has_no_picture_says_so_or_is_left(show: Callable[..., Page]) -> None:
    page = show()
    page.get_by_label("channel", exact=True).select_option(label="rayleigh")
    page.get_by_label("right", exact=True).select_option(label=EVIL)
    missing = page.locator("#right-side .missing")
    assert missing.is_visible()
    assert "no picture" in (missing.text_content() or "")
    assert not page.locator("#right-side .shown").is_visible()
    page.get_by_label("left", exact=True).select_option(label=EVIL)
    assert page.get_by_label("channel", exact=True).input_value() == "0"  # awgn, the nearest
    assert not missing.is_visible()


def test_the_border_is_dragged(show: Callable[..., Page]) -> None:
    page = show()
    assert clip(page) == 50
    page.locator("#stage").scroll_into_view_if_needed()
    box = page.locator("#stage").bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, y)
    page.mouse.down()
    for share in (0.4, 0.3, 0.2):
        page.mouse.move(box["x"] + box["width"] * share, y)
    page.mouse.up()
    assert clip(page) == pytest.approx(20, abs=1)
    border = page.locator(".border").bounding_box()
    assert border is not None
    assert border["x"] + 1 - box["x"] == pytest.approx(0.2 * box["width"], abs=4)


def test_the_border_moves_by_arrow_keys(show: Callable[..., Page]) -> None:
    page = show()
    page.focus("#split")
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    assert clip(page) == 54
    assert "54 %" in (page.locator("#split").get_attribute("aria-valuetext") or "")
    page.keyboard.press("Home")
    assert clip(page) == 0
    page.keyboard.press("End")
    assert clip(page) == 100


def test_the_region_and_the_errors_are_shown_on_demand(show: Callable[..., Page]) -> None:
    page = show()
    arrived = shown(page, "left")
    for layer in ("outline", "shade"):
        picture = page.locator(f"#left-side .{layer}")
        assert not picture.is_visible()
        page.check(f"#{layer}")
        assert picture.is_visible()
        assert shown(page, "left", layer) != arrived
        page.uncheck(f"#{layer}")
        assert not picture.is_visible()
    page.check("#errors")
    error = PilImage.open(io.BytesIO(shown(page, "left"))).convert("RGB")
    assert error.size == (32, 24)
    red, green, blue = np.moveaxis(np.asarray(error).astype(int), -1, 0)
    assert max(abs(red - green).max(), abs(red - blue).max()) <= 4  # grey
    page.uncheck("#errors")
    assert shown(page, "left") == arrived


def test_tables_sort_by_click_and_by_key(show: Callable[..., Page]) -> None:
    page = show()
    names = page.locator("table:has(caption:text-is('Names'))")
    head = names.locator("th").nth(1)
    head.locator("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    assert column(page, "Names", 2) == ["−3.25", "2.00", "9.50", "10.00", ""]
    page.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "descending"
    assert column(page, "Names", 2) == ["10.00", "9.50", "2.00", "−3.25", ""]
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Space")
    assert head.get_attribute("aria-sort") is None
    assert column(page, "Names", 1) == [EVIL, "img1", "img2", "img10", ""]


def test_numbers_behind_a_figure_download(show: Callable[..., Page]) -> None:
    page = show()
    with page.expect_download() as download:
        page.get_by_role("link", name="rate.csv").first.click()
    assert download.value.suggested_filename == "rate.csv"
    with Path(download.value.path()).open(newline="", encoding="utf-8") as lines:
        assert list(csv.reader(lines)) == [["CBR", "PSNR"], ["1/16", "31.123456789"], ["1/4", "40"]]
    with page.expect_download() as download:
        page.get_by_role("link", name="rate.svg").click()
    assert b"<svg" in Path(download.value.path()).read_bytes()


def test_all_is_reached_by_tab_and_seen(show: Callable[..., Page]) -> None:
    page = show()
    wanted = "a[href], button, select, input, summary, [tabindex='0']"
    ours = page.locator(wanted).evaluate_all(
        "all => all.filter((e) => e.checkVisibility()).map((e, i) => { e.dataset.n = i; }).length"
    )
    reached = set()
    for _ in range(ours + 2):
        page.keyboard.press("Tab")
        number, width = page.evaluate(
            "[document.activeElement.dataset.n, "
            "getComputedStyle(document.activeElement.closest('.stage') ?? document.activeElement)"
            ".outlineWidth]"
        )
        if number is not None:
            reached.add(int(number))
            assert width == "3px"
    assert reached == set(range(ours))
    unnamed = page.locator("select, input").evaluate_all(
        "all => all.filter((e) => !e.labels.length && !e.ariaLabel).length"
    )
    assert unnamed == 0


@pytest.mark.parametrize("width", [320, 360, 768])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_small_screens_scroll_down_only(show: Callable[..., Page], width: int, scheme: str) -> None:
    page = show(viewport={"width": width, "height": 740}, color_scheme=scheme)
    page.locator("details").evaluate_all("all => all.forEach((one) => { one.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    stage = page.locator("#stage").bounding_box()
    assert stage is not None
    assert stage["width"] <= width
    assert stage["width"] / stage["height"] == pytest.approx(64 / 48, abs=0.02)
    wide = page.locator("div.scroll:has(caption:text-is('Wide'))")
    assert wide.evaluate("box => box.scrollWidth > box.clientWidth")


def test_it_is_legible_in_the_dark_and_figures_stay_on_white(show: Callable[..., Page]) -> None:
    page = show(color_scheme="dark")
    style = "(e) => [getComputedStyle(e).color, getComputedStyle(e).backgroundColor]"
    ink, ground = (luminance(rgb) for rgb in page.locator("body").evaluate(style))
    assert (ink + 0.05) / (ground + 0.05) > 7  # WCAG AAA
    assert page.locator(".paper").first.evaluate(style)[1] == "rgb(255, 255, 255)"


def luminance(rgb: str) -> float:
    """Relative luminance of WCAG 2.2."""
    values = np.array([int(v) for v in rgb.removeprefix("rgb(").rstrip(")").split(",")]) / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def test_it_prints(show: Callable[..., Page]) -> None:
    page = show(color_scheme="dark", viewport={"width": 700, "height": 900})
    assert page.pdf()[:5] == b"%PDF-"
    page.emulate_media(media="print")
    for gone in (".choices", "nav", ".file"):
        assert not page.locator(gone).first.is_visible()
    assert page.locator("#stage").is_visible()
    assert page.locator("#making").evaluate("e => e.scrollWidth") <= 700
    assert page.locator("body").evaluate("e => getComputedStyle(e).backgroundColor") == (
        "rgb(255, 255, 255)"
    )
