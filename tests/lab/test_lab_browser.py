"""The lab in a browser, as a reader uses it: no error on the console, no request to anywhere else."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_the_textbook_run_is_there_at_once(opened):
    page = opened()
    assert "w = 2.172" in page.answer()
    assert page.tab.locator("#epoch-told").text_content() == "epoch 100 of 100  ·  J = 0.5683"
    assert page.tab.locator("#equations p").first.text_content().startswith("w ← 2.172 − 0.001 × ")


def test_playing_asks_the_server_for_nothing(opened):
    page = opened()
    tab = page.tab
    tab.wait_for_timeout(500)
    asked = page.asked
    tab.locator("#first").click()
    assert tab.locator("#equations p").all_text_contents() == ["w ← 0 − 0.001 × (−142.8) = 0.1428"]
    tab.locator("#next").click()
    assert tab.locator("#epoch-told").text_content().startswith("epoch 1 of 100")
    tab.locator("#play").click()
    page.until("parseInt(document.getElementById('epoch-told').textContent.slice(6)) > 5")
    tab.locator("#play").click()
    tab.locator("#back").click()
    tab.locator("#frame-slider").fill("50")
    assert tab.locator("#epoch-told").text_content().startswith("epoch 50 of 100")
    shown = float(tab.locator("#equations p").first.text_content().split(" ")[2])
    assert page.ends_of_the_path()[1][0] == pytest.approx(shown, rel=0.005) and 2.0 < shown < 2.172
    assert page.asked == asked


def test_a_formula_is_typed_and_its_errors_point_into_it(opened):
    page = opened()
    page.type("formula", "y ~ w*x + ")
    page.tab.wait_for_selector("#formula-told pre")
    told = page.tab.locator("#formula-told")
    lines = told.locator("pre").text_content().split("\n")
    assert lines[0] == "y ~ w*x + " and lines[1].index("^") >= len("y ~ w*x +")
    page.type("formula", "y ~ w*x + b")
    page.film_has("formula=")
    page.until("!document.querySelector('#formula-told pre')")
    assert "b = " in page.answer()
    assert page.tab.locator("#surface-figure .contourlayer").count() == 1


def test_a_file_is_uploaded_and_stays_out_of_the_address(opened, tmp_path: Path):
    path = tmp_path / "springs.csv"
    path.write_text("load,length\n1,12\n2,14.1\n3,15.9\n4,18\n")
    page = opened()
    with page.tab.expect_file_chooser() as chooser:
        page.tab.locator("#choose-file").click()
    chooser.value.set_files(path)
    page.film_has("problem=upload")
    page.until("document.getElementById('told').textContent.includes('w = ')")
    assert "springs" not in page.tab.url and "descend fit 'length ~ w*load + b' springs.csv" in (
        page.tab.locator("#command").text_content()
    )
    link = page.tab.url
    page.tab.reload()
    page.film_has("problem=upload")  # the same reader still has the rows ...
    other = opened()
    other.tab.goto(link)  # ... and nobody else
    other.tab.wait_for_selector(".note")
    assert "Upload it again." in other.tab.locator(".note").text_content()


def test_many_rows_are_sampled_and_the_page_says_so(opened, tmp_path: Path):
    path = tmp_path / "many.csv"
    x = np.arange(60_000) / 10_000
    np.savetxt(path, np.column_stack([x, 2 * x + np.sin(50 * x)]), "%.6g", ",", header="x,y", comments="")
    page = opened()
    with page.tab.expect_file_chooser() as chooser:
        page.tab.locator("#choose-file").click()
    chooser.value.set_files(path)
    page.tab.wait_for_selector(".note")
    assert page.tab.locator(".note").text_content() == (
        "The lab descends on 10,000 of 60,000 rows, chosen at random; the copied command takes them all."
    )
    page.film_has("problem=upload")
    caption = page.tab.locator("#data-caption").text_content()
    assert caption == "lowest J1,200 of 10,000 rows drawn, chosen at random."


def test_a_rate_past_the_limit_is_shown_to_diverge_and_why(opened):
    page = opened("?problem=valley")
    assert page.tab.locator(".ruler .mark").text_content() == "2/λmax = 0.111"
    page.tab.locator("#rate").fill("-0.5")
    page.film_has("rate=0.316")
    page.until("document.getElementById('told').textContent.includes('Diverged: rate too large')")
    assert "The largest stable rate at the start is 0.111" in page.tab.locator(".verdict").text_content()
    page.type("rate-typed", "0.05")
    page.film_has("rate=0.05")
    page.until("!document.getElementById('told').textContent.includes('Diverged')")


def test_a_click_on_the_surface_is_the_start(opened):
    page = opened("?problem=valley")
    plot = page.tab.locator("#surface-figure .nsewdrag").first
    box = plot.bounding_box()
    plot.click(position={"x": box["width"] * 0.25, "y": box["height"] * 0.5})
    page.film_has("start=")
    w, b = (float(value) for value in re.findall(r"=(-?[\d.]+)", page.tab.locator("#start").input_value()))
    assert w == pytest.approx(0.75, abs=0.05) and b == pytest.approx(1.0, abs=0.1)
    assert page.ends_of_the_path()[0] == pytest.approx((w, b), rel=0.03)


def test_three_optimizers_race(opened):
    page = opened("?problem=valley")
    page.tab.get_by_text("momentum", exact=True).click()
    page.tab.get_by_text("adam", exact=True).click()
    page.film_has("optimizers=gd,momentum,adam")
    page.until("document.querySelectorAll('#told tbody tr').length === 3")
    for figure, kind in (("data", "curve"), ("surface", "way"), ("loss", "line")):
        assert page.tab.locator(f".card.{figure} .moving .{kind}").count() == 3
    assert page.tab.locator("#surface-caption .key").all_text_contents() == ["gd", "momentum", "adam"]


def test_rows_are_held_out_and_their_loss_is_told(opened):
    page = opened("?problem=valley")
    assert "held out" not in page.tab.locator("#epoch-told").text_content()
    page.tab.locator("#validation").click()
    page.tab.get_by_text("20 %", exact=True).last.click()
    page.film_has("validation=0.2")
    assert re.search(r"held out: 0\.\d+$", page.tab.locator("#epoch-told").text_content())
    assert page.tab.locator("#loss-figure").locator("xpath=..").locator(".moving .held").count() == 1
    assert "--validation 0.2" in page.tab.locator("#command").text_content()


def test_the_address_brings_back_the_page(opened):
    page = opened("?problem=decay&optimizers=gd,adam&rate=0.05&epochs=77&loss=huber&noise=0.3&start=a:2,b:0.5&lang=zh")
    link, answer = page.tab.url, page.answer()
    again = opened()
    again.tab.goto(link)
    again.film_has("epochs=77")
    again.tab.wait_for_selector("#told tbody tr")
    assert again.answer() == answer and "下降" in again.tab.locator(".brand").text_content()
    assert again.tab.locator("#epochs").input_value() == "77"
    assert again.tab.locator("#start").input_value() == "a=2, b=0.5"


def test_the_language_changes_and_the_rest_stays(opened):
    page = opened("?problem=valley&rate=0.05")
    page.tab.locator("#language").click()
    page.tab.wait_for_selector("[lang='zh-CN']")
    page.film_has("lang=zh")
    assert "rate=0.05" in page.tab.url and page.tab.locator(".verdict .ended").text_content().startswith("尚未到达")


def test_the_copied_command_gives_the_same_answer(opened, tmp_path: Path):
    page = opened("?problem=valley&optimizers=gd&rate=0.06&epochs=40&start=w:1.5,b:-2")
    answer = page.answer()
    for command in page.tab.locator("#command").text_content().split("\n"):
        words = shlex.split(command)[1:] + (["--json"] if " fit " in command else [])
        code = "import sys; from descend.cli.main import main; sys.exit(main())"
        done = subprocess.run(
            [sys.executable, "-c", code, *words], cwd=tmp_path, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    from descend.lab.figures.step_in_numbers import number

    for name, value in told["parameters"].items():
        assert f"{name} = {number(value)}" in answer
    assert number(told["loss"], 5) in answer


def test_a_gradient_by_hand_is_judged_as_it_is_typed(opened):
    page = opened()
    page.type("gradient", "w = mean(x*(w*x - y))")
    page.tab.wait_for_selector(".judged.failure", timeout=60_000)
    assert "2 times too small" in page.tab.locator("#gradient-told").text_content()
    page.type("gradient", "w = mean(2*x*(w*x - y))")
    page.tab.wait_for_selector(".judged.success", timeout=60_000)
    assert page.tab.locator("#derived math").count() == 1 and not page.tab.locator("#derived").is_visible()
    page.tab.locator(".solution summary").click()
    assert page.tab.locator("#derived").is_visible()


def test_a_gradient_by_hand_begins_with_the_names_of_the_formula(opened):
    page = opened("?problem=decay")
    begun = "document.getElementById('gradient').placeholder"
    page.until(f"{begun} === 'a = mean(...)\\nb = mean(...)'")
    page.type("formula", "y ~ c*exp(-x/tau) + d")
    page.until(f"{begun} === 'c = mean(...)\\ntau = mean(...)\\nd = mean(...)'")


def test_a_chinese_page_speaks_chinese_of_gradient_and_descent(opened):
    page = opened("?problem=valley&rate=0.13&lang=zh")
    said = page.tab.locator(".verdict p").nth(1).text_content()
    assert said == "学习率 0.13 是起点处最大稳定学习率 0.1114 的 1.167 倍。请用 0.056，或选“自动选择”。"
    assert page.tab.locator("#surface-caption").text_content() == "J 从 0.2362（颜色最深）到 139.5。"
    page.type("gradient", "w = -mean(2*x*(w*x + b - y))\nb = mean(2*(w*x + b - y))")
    page.tab.wait_for_selector(".judged.failure", timeout=60_000)
    assert page.tab.locator(".judged").text_content() == (
        "✕ w 的梯度有误：符号反了，这样会越走越高。请在前面加负号：残差是“预测值 − y”。"
    )


def test_the_report_is_downloaded(opened, tmp_path: Path):
    page = opened()
    with page.tab.expect_download() as download:
        page.tab.locator("#report").click()
    assert download.value.suggested_filename == "line.html"
    download.value.save_as(tmp_path / "line.html")
    text = (tmp_path / "line.html").read_text()
    assert "2.17224" in text and "descend fit &#x27;y ~ w*x&#x27; line.csv" in text


def test_the_report_of_a_race_holds_the_race(opened, tmp_path: Path):
    page = opened("?problem=banana")
    with page.tab.expect_download() as download:
        page.tab.locator("#report").click()
    assert download.value.suggested_filename == "banana-race.html"
    download.value.save_as(tmp_path / "race.html")
    text = (tmp_path / "race.html").read_text()
    assert all(f'<th scope="row">{name}</th>' in text for name in ("gd", "momentum", "adam"))
    assert "J over a and b" in text and "descend compare" in text


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("query", ["", "?problem=valley&rate=0.2&lang=zh"])
def test_it_is_accessible(opened, scheme, query):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    page = opened(query, color_scheme=scheme)
    page.tab.wait_for_selector("#told tbody tr")
    found = axe.Axe().run(page.tab).response["violations"]
    serious = [one for one in found if one["impact"] in ("serious", "critical")]
    assert [(one["id"], one["nodes"][0]["html"][:200], one["nodes"][0]["any"]) for one in serious] == []


@pytest.mark.parametrize("width", [390, 1280])
def test_it_fits_the_screen(opened, width):
    page = opened("?problem=banana")
    page.tab.set_viewport_size({"width": width, "height": 800})
    page.tab.wait_for_timeout(300)
    assert page.tab.evaluate("document.documentElement.scrollWidth") == width


def test_light_and_dark(opened):
    page = opened(color_scheme="light")
    landscape = "getComputedStyle(document.body).backgroundColor"
    before = page.tab.evaluate(landscape)
    page.tab.locator("#shade").click()
    assert page.tab.evaluate(landscape) != before
    page.until("document.querySelector('#data-figure .js-plotly-plot').layout.font.color.toUpperCase() === '#A9B1BC'")


@pytest.mark.parametrize(
    ("query", "unread"),
    [
        ("?problem=file", "problem"),
        ("?problem=classes&noise=0", "noise"),
        ("?problem=nope&rate=-1&epochs=1e9", "problem, rate, epochs"),
        ("?" + "&".join(f"a{number}=1" for number in range(60)), "?a0=1&a1=1"),
    ],
)
def test_an_address_that_makes_no_sense_opens_all_the_same(opened, query, unread):
    page = opened(query)
    assert f"could be read, and was left as usual: {unread}" in page.tab.locator(".note").text_content()
    assert page.tab.locator("#told tbody tr").count() == 1


def test_a_bad_file_is_told_and_the_page_stays(opened, tmp_path: Path):
    path = tmp_path / "latin.csv"
    path.write_bytes("größe,y\n1,2\n2,3\n".encode("latin-1"))
    page = opened()
    with page.tab.expect_file_chooser() as chooser:
        page.tab.locator("#choose-file").click()
    chooser.value.set_files(path)
    page.until("document.getElementById('upload-told').textContent.includes('is not UTF-8 text')")
    assert "w = 2.172" in page.answer()


def test_a_page_that_is_gone_says_no_more(opened, tmp_path: Path):
    """The rows of a new page cannot be fitted: nothing of the page before comes back."""
    path = tmp_path / "odd.csv"
    path.write_text('"a b",w,y\n1,1,2\n1,2,3\n1,4,5\n')
    page = opened()
    with page.tab.expect_file_chooser() as chooser:
        page.tab.locator("#choose-file").click()
    chooser.value.set_files(path)
    page.until("document.getElementById('trouble').textContent.includes('cannot be told apart')")
    page.tab.wait_for_timeout(300)
    assert page.tab.locator("#told tbody tr").count() == 0 and "problem=upload" in page.tab.url
    page.type("formula", "y ~ m*w")
    page.film_has("formula=y%20~%20m*w")


def test_a_rate_that_is_no_number_is_marked(opened):
    page = opened()
    page.type("rate-typed", "fast")
    page.tab.wait_for_selector("#rate-typed[aria-invalid=true]")
    page.type("rate-typed", "0,01")
    page.film_has("rate=0.01")
    assert page.tab.locator("#rate-typed[aria-invalid=true]").count() == 0


def test_a_gradient_of_no_row_is_judged_and_descended_with(opened):
    page = opened()
    page.type("gradient", "w = 5")
    page.tab.wait_for_selector(".judged.failure", timeout=60_000)
    page.tab.locator("#by-hand input").click()
    page.film_has("by_hand=1")
    assert "w = −0.5" in page.answer()


def test_two_tabs_have_a_lab_each(opened):
    one = opened("?problem=decay")
    other = one.context.new_page()
    other.goto(one.tab.url.replace("decay", "valley"))
    other.wait_for_selector("#told tbody tr")
    answer = one.answer()
    other.locator("#rate").fill("-2")
    other.wait_for_timeout(600)
    assert one.answer() == answer and "problem=decay" in one.tab.url and "rate=0.01" in other.url


def test_a_rate_that_is_chosen_for_the_reader_is_shown_where_it_lies(opened):
    page = opened("?problem=valley&rate=auto")
    shown = float(page.tab.locator("#rate-typed").input_value())
    assert f"{shown:g}" in page.answer() and 0.0 < shown < 0.111
    assert 10 ** float(page.tab.locator("#rate").input_value()) == pytest.approx(shown, rel=1e-3)
    page.tab.locator("#optimizers").get_by_text("lbfgs", exact=True).click()
    page.tab.locator("#optimizers").get_by_text("gd", exact=True).click()
    page.film_has("optimizers=lbfgs&rate=auto")
    assert page.tab.locator(".rate.unused #rate-typed").input_value() == ""
    page.tab.locator("#optimizers").get_by_text("adam", exact=True).click()
    page.film_has("lbfgs,adam")
    page.tab.locator("#auto input").click()  # from here on it is the reader's
    page.film_has("rate=0.")
    adam = float(page.tab.locator("#rate-typed").input_value())
    assert page.tab.locator("#told tbody tr").nth(1).locator("td").nth(3).text_content() == f"{adam:g}"


def test_a_start_of_no_parameter_is_told_and_left_out(opened):
    page = opened()
    page.type("start", "w=1, slope=3")
    page.tab.wait_for_selector("#start-told p")
    assert page.tab.locator("#start-told").text_content() == (
        "There is no parameter slope to start. Parameters: w. It is left out."
    )
    page.film_has("slope:3")
    assert (
        page.tab.locator("#command")
        .text_content()
        .endswith("--start w=1.0 --optimizer gd --learning-rate 0.001 --epochs 100")
    )
    page.type("start", "w=1")
    page.until("!document.querySelector('#start-told p')")


def test_columns_of_text_are_named_and_a_file_that_is_too_large_is_refused(opened, tmp_path: Path):
    path = tmp_path / "people.csv"
    path.write_text("name,x,y\nann,1,2\nbob,2,3\n")
    page = opened()
    for _ in range(2):
        with page.tab.expect_file_chooser() as chooser:
            page.tab.locator("#choose-file").click()
        chooser.value.set_files(path)
        page.tab.wait_for_selector(".note")
        assert page.tab.locator(".note").text_content() == "Left out, for they hold no numbers: name."
        page.tab.evaluate("document.getElementById('upload-told').dataset.most = 10")
    page.until("document.getElementById('upload-told').textContent.startsWith('This is larger than 512 MB')")


def test_the_slider_of_rates_goes_by_keys_and_its_box_says_what_is_used(opened):
    page = opened("?problem=decay")
    page.tab.locator("#rate").focus()
    page.tab.keyboard.press("ArrowRight")
    page.film_has("rate=0.3")
    typed = page.tab.locator("#rate-typed").input_value()
    assert 0.3 < float(typed) < 0.4 and page.tab.url.endswith(f"rate={typed}")
    assert f"--learning-rate {typed} " in page.tab.locator("#command").text_content()


def test_what_is_shown_pales_while_the_formula_cannot_be_read(opened):
    page = opened()
    page.type("formula", "y ~ w*(x")
    page.until("document.documentElement.classList.contains('stale')")
    page.type("formula", "y ~ w*x + b")
    page.film_has("formula=")
    page.until("!document.documentElement.classList.contains('stale')")


def test_back_leads_to_the_problem_before_as_it_was_left(opened):
    page = opened("?problem=decay")
    page.type("rate-typed", "0.25")
    page.film_has("rate=0.25")
    page.until("location.search.includes('rate=0.25')")
    page.tab.locator("#problem").click()
    page.tab.get_by_text("A wave with many minima", exact=True).click()
    page.film_has("problem=wave")
    page.until("location.search === '?problem=wave'")
    page.tab.go_back()
    page.film_has("problem=decay&rate=0.25")
    assert page.tab.locator("#rate-typed").input_value() == "0.25"
    assert page.tab.locator("#start").input_value() == "a=1, b=2"


TABLE = "!!document.querySelector('.all-groups #groups-table tbody tr')"


def test_all_groups_one_of_them_and_back(opened):
    page = opened("?problem=line")
    tab = page.tab
    tab.evaluate("window.dash_clientside.set_props('url', { search: '?problem=wells' })")
    page.until(TABLE)
    assert tab.locator("#groups-table tbody tr").count() == 8
    assert tab.locator("#groups-picture .legend li").count() == 8 and not tab.locator(".player").is_visible()
    tab.locator("#groups-table th button", has_text="b").first.click()
    page.until("!!document.querySelector('#groups-table [aria-sort=ascending]')")
    tab.locator("#groups-table th button", has_text="b").first.click()
    page.until("!!document.querySelector('#groups-table [aria-sort=descending]')")
    assert tab.locator("#groups-table tbody th").first.text_content() == "7"
    tab.locator("#groups-table tbody td").nth(3).click()  # anywhere in its line
    page.film_has("group=7")
    assert tab.locator("#one-group h2").text_content() == "Group well = 7" and tab.locator(".player").is_visible()
    assert "--where 'well = 7'" in tab.locator("#command").text_content()
    tab.locator("#one-group a").focus()
    tab.keyboard.press("Enter")
    page.until(TABLE)
    assert tab.evaluate("location.search") == "?problem=wells"
    tab.locator("#groups-table tbody th a").nth(2).focus()
    tab.keyboard.press("Enter")
    page.film_has("group=")
    tab.go_back()
    page.until(TABLE)
    tab.locator("#by input").first.uncheck()
    page.film_has("by=")
    assert tab.locator("#one-group").is_hidden() and tab.locator(".player").is_visible()


def test_a_group_is_found_by_its_name(opened):
    page = opened("?problem=line")
    page.tab.evaluate("window.dash_clientside.set_props('url', { search: '?problem=wells' })")
    page.until(TABLE)
    page.type("find-group", "5")
    page.until("document.querySelectorAll('#groups-table tbody tr').length === 1")
    assert page.tab.locator("#groups-table .pages").text_content() == "1 to 1 of 1 groups"
    page.type("find-group", "")
    page.until("document.querySelectorAll('#groups-table tbody tr').length === 8")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("query", ["?problem=wells&lang=zh", "?problem=wells&group=3"])
def test_groups_are_accessible(opened, scheme, query):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    page = opened("?problem=line", color_scheme=scheme)
    page.tab.evaluate("search => window.dash_clientside.set_props('url', { search })", query)
    page.film_has("group=3") if "group" in query else page.until(TABLE)
    page.tab.wait_for_timeout(500)
    found = axe.Axe().run(page.tab).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"][:200], one["nodes"][0]["any"]) for one in found] == []
    for width in (390, 1280):
        page.tab.set_viewport_size({"width": width, "height": 800})
        page.tab.wait_for_timeout(300)
        assert page.tab.evaluate("document.documentElement.scrollWidth") == width


def test_a_named_curve_becomes_the_formula(opened):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    page = opened("?problem=decay")
    tab = page.tab
    tab.locator("#curves summary").click()
    tab.locator("#curve").click()
    tab.keyboard.type("exponential decay")
    tab.wait_for_timeout(300)
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("Enter")
    page.film_has("exponential_decay(x)")
    assert tab.locator("#formula").input_value() == "y ~ exponential_decay(x)"
    page.until("!!document.querySelector('#curve-picture svg')")
    assert "exp(" in tab.locator("#curve-picture code").first.text_content()
    tab.wait_for_timeout(500)
    assert [one["id"] for one in axe.Axe().run(tab).response["violations"]] == []
