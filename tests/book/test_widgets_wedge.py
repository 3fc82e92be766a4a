"""The dial of two inputs and their angle: its shares and angles are the package's."""

import math

import numpy as np
import pytest
from browsing import PHONE, opened
from dial_modules import computed

import shattered_lite as sl


@pytest.mark.parametrize("degrees", [0, 1, 20, 90, 137, 180])
def test_angles_and_shares_are_those_of_the_arc_cosine_map(blank, degrees):
    call = "dial.angles(first, 20).map((angle) => [angle, dial.share(angle)])"
    angles, shares = np.transpose(computed(blank, "wedge", call, first=math.radians(degrees)))
    cosines = sl.theory.cosines(19, cosine=math.cos(math.radians(degrees)))
    np.testing.assert_allclose(np.cos(angles), cosines, rtol=0, atol=1e-12)
    np.testing.assert_allclose(shares, sl.theory.arc_cosine(cosines).coactivation, rtol=0, atol=1e-7)


def test_dial_answers_to_keys(browser, site):
    with opened(browser, f"{site}/who-is-active.html") as (page, problems):
        dial = page.locator(".widget-wedge")
        dial.scroll_into_view_if_needed()
        dial.get_by_text("Gated layer 1: the inputs are 90.0° apart. The gates of 25.0 %").wait_for()
        dial.locator("input[type=range]").last.focus()
        page.keyboard.press("ArrowRight")
        dial.get_by_text("Gated layer 2: the inputs are 71.4° apart. The gates of 30.2 %").wait_for()
        dial.locator("input[type=range]").first.focus()
        page.keyboard.press("Home")
        dial.get_by_text("Gated layer 2: the inputs are 0.0° apart. The gates of 50.0 %").wait_for()
        dial.get_by_text("The same in numbers").click()
        assert dial.locator("tbody tr").count() == 7
        assert problems == []


@pytest.mark.parametrize("how", ["mouse", "finger"])
def test_arrows_can_be_turned(browser, site, how):
    """From right angles to opposite: one tip to the level of the centre, while the page stays where it is."""
    with opened(browser, f"{site}/who-is-active.html", size=PHONE) as (page, _):
        dial = page.locator(".widget-wedge")
        dial.scroll_into_view_if_needed()
        tip = dial.locator(".widget-handle").last
        tip.scroll_into_view_if_needed()
        box, picture = tip.bounding_box(), dial.locator(".widget-drawing").bounding_box()
        start = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        end = picture["x"] + picture["width"] - 30, picture["y"] + picture["height"] * 164 / 284
        scrolled = page.evaluate("scrollY")
        drag(page, how, start, end)
        dial.get_by_text("the inputs are 180.0° apart. The gates of 0.0 %").wait_for()
        assert page.evaluate("scrollY") == scrolled


def drag(page, how, start, end):
    between = np.linspace(start, end, 10)
    if how == "mouse":
        page.mouse.move(*start)
        page.mouse.down()
        for place in between:
            page.mouse.move(*place)
        page.mouse.up()
        return
    touch = page.context.new_cdp_session(page)
    for kind, places in [("touchStart", [start]), *(("touchMove", [place]) for place in between), ("touchEnd", [])]:
        points = [{"x": x, "y": y} for x, y in places]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
