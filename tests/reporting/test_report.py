"""Protects: the report of a study, looked at in a real browser: all is there, works, and asks for no network."""

import csv
import re

import pytest
from axe_playwright_python.sync_playwright import Axe

from sparse_rigl_lands import files, gin_files
from sparse_rigl_lands.reporting.report import write_report
from sparse_rigl_lands.studies import claims, study_jobs, study_results
from sparse_rigl_lands.studies.jobs import Failure
from tests.browser import Visit
from tests.studies import finished_study

_FLAGS = ["--gin_file=gin/digits/study.gin", "--output_dir=runs/a study"]
_FIGURES = ["figure1", "figure2", "figure3", "figure4", "budgets", "figure5"]


def _write(directory, study, without=frozenset(), failures=(), nothing=False):
    """The files of a study, the files of its report, and its claims."""
    written = files.StudyFiles(directory)
    done = finished_study.write(study, written) - without
    done = frozenset() if nothing else done
    steps = study_jobs.jobs_of(study, written, gin_files.configuration)
    found = study_results.collect(study, written, steps, done, failures)
    judged = claims.judge(study, found.runs, found.paths)
    reported = write_report(study, written, found, judged, steps, _FLAGS)
    return written, reported, judged


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A study that was reported, see above."""
    return _write(tmp_path_factory.mktemp("study"), finished_study.study())


@pytest.fixture
def visit(browser, study):
    """A visit whose controls are used."""
    visit = Visit(browser, study[0].report)
    yield visit
    assert visit.problems == []
    visit.page.close()


@pytest.fixture(scope="module", params=[(1280, 900), (390, 844)], ids=["desktop", "phone"])
def seen(browser, study, request):
    """A visit that changes nothing."""
    visit = Visit(browser, study[0].report, *request.param)
    yield visit
    assert visit.problems == []
    visit.page.close()


def test_all_files_are_there(study):
    written, reported, _ = study
    assert reported == [*(path for name in _FIGURES for path in written.figure(name)), written.report]
    assert all(path.stat().st_size > 0 for path in reported)


def test_nothing_but_links_leads_out_of_it(study):
    """Plotly's own source, which is within, names addresses: every visit sees that none is asked for."""
    page = re.sub(r"<script>.*?</script>", "", study[0].report.read_text(), flags=re.DOTALL)
    assert not re.findall(r"""(?:src|srcset|url\()\s*=?\s*["']?https?:""", page)
    assert re.findall(r'https?://[^"<]*', page) == ["https://arxiv.org/abs/1906.10732"]


def test_the_question_and_the_verdicts_come_first(seen):
    page = seen.page
    assert page.locator("h1").inner_text().startswith("Why does training a sparse network from scratch")
    assert page.locator("h2").first.inner_text() == "Verdicts"
    assert page.locator(".claim .verdict").all_inner_texts() == ["confirmed"] * 5
    assert page.locator("header strong").inner_text() == "5 confirmed"
    assert "claims 1 and 2, here confirmed and confirmed" in page.locator("header").inner_text()


def test_all_figures_are_drawn(seen):
    page = seen.page
    assert page.locator("section.figure").evaluate_all("all => all.map(each => each.id)") == _FIGURES
    charts = page.locator(".chart")
    assert charts.count() == 2 + 2 + 3 + 3 + 1 + 2
    drawn = charts.evaluate_all("all => all.map(each => each.querySelectorAll('.scatterlayer .trace').length)")
    data = charts.evaluate_all("all => all.map(each => each.data.length)")
    assert drawn == data
    assert page.locator(".static:visible").count() == 0


def test_nothing_is_wider_than_the_window(seen):
    page = seen.page
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_every_table_is_named_and_has_headings(seen):
    for table in seen.page.locator("table").all():
        assert table.locator("caption").text_content()
        assert table.locator("thead th").count() == table.locator("tbody tr").first.locator("th, td").count()


def test_the_grounds_of_verdicts_are_seen_whole(seen):
    """Also on a phone, where wider tables are scrolled."""
    for cell in seen.page.locator(".claim tbody").locator("th, td").all():
        place = cell.bounding_box()
        assert 0 <= place["x"] < place["x"] + place["width"] <= seen.page.viewport_size["width"]
        assert cell.evaluate("cell => cell.scrollWidth <= cell.clientWidth")
    table = seen.page.get_by_role("table", name="Grounds of claim 3")
    assert table.get_by_role("row").first.get_by_role("columnheader").count() == 6
    assert table.get_by_role("row").nth(1).get_by_role("cell").last.inner_text().strip() == "confirmed"


def test_a_curve_is_hidden_and_shown_again_by_the_keyboard(visit):
    page = visit.page
    figure = page.locator("#figure3")
    names = "[...document.querySelectorAll('#figure3 .chart')].flatMap(c => c.data.filter(t => t.visible !== false)"
    names += ".map(t => t.meta.name))"
    box = figure.get_by_label("S-I to P-S")
    box.focus()
    page.keyboard.press("Space")
    assert "S-I to P-S" not in page.evaluate(names)
    assert "L-I to P-S" in page.evaluate(names)
    page.keyboard.press("Space")
    assert "S-I to P-S" in page.evaluate(names)


def test_a_seed_is_hidden_in_every_panel_but_means_stay(visit):
    page = visit.page
    page.locator("#figure1").get_by_label("1", exact=True).uncheck()
    seeds = page.evaluate(
        "[...document.querySelectorAll('#figure1 .chart')].flatMap(c => c.data.filter(t => t.visible !== false)"
        ".map(t => t.meta.seed))"
    )
    assert 1 not in seeds
    assert {None, 0, 2} <= set(seeds)


def test_losses_change_their_scale_and_keep_their_limits(visit):
    page = visit.page
    types = "[...document.querySelectorAll('#figure4 .chart')].map(c => c.layout.yaxis.type)"
    ranges = "[...document.querySelectorAll('#figure4 .chart')].map(c => c.layout.yaxis.range)"
    assert page.evaluate(types) == ["log"] * 3
    page.locator("#figure4").get_by_label("linear").check()
    assert page.evaluate(types) == ["linear"] * 3
    first, *others = page.evaluate(ranges)
    assert others == [first, first]
    assert first[0] < 0.04 < 3.2 < first[1]
    page.locator("#figure4").get_by_label("logarithmic").check()
    assert page.evaluate(types) == ["log"] * 3


def test_accuracy_stays_linear(visit):
    page = visit.page
    page.locator("#figure1").get_by_label("linear").check()
    page.locator("#figure1").get_by_label("logarithmic").check()
    types = page.evaluate("[...document.querySelectorAll('#figure1 .chart')].map(c => c.layout.yaxis.type)")
    assert types == ["linear", "log"]


def test_only_scales_that_can_be_chosen_are_offered(seen):
    radios = "all => all.map(each => each.querySelectorAll('input[type=radio]').length)"
    assert seen.page.locator("section.figure").evaluate_all(radios) == [2, 2, 2, 2, 0, 2]


def test_the_table_below_a_figure_has_what_it_shows(seen):

    def column(figure, place):
        return seen.page.locator(f"#{figure} tbody tr > :nth-child({place})").all_text_contents()

    assert set(column("figure1", 1)) == {"dense", "pruned", "lottery", "scratch"}
    assert set(column("figure5", 1)) == {"dense", "zeroed_init"}
    assert set(column("budgets", 3)) == {"0"}


def test_values_are_read_by_the_keyboard(visit):
    """What pointing at a curve tells, for those who cannot."""
    page = visit.page
    figure = page.locator("#figure3")
    figure.locator("[data-reading]").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert figure.locator("output").inner_text() == "0.5"
    readings = figure.locator(".readings div").all_inner_texts()
    assert len(readings) == 14
    (reading,) = [each for each in readings if each.startswith("S-I to P-S, seed 0:")]
    assert reading == "S-I to P-S, seed 0: 1.1700 nats ± 0.0031, top-1 90.0%"
    assert figure.locator("[data-reading]").get_attribute("aria-valuetext") == "0.5"
    figure.get_by_label("S-I to P-S").uncheck()
    assert len(figure.locator(".readings div").all()) == 12


def test_pointing_at_a_curve_tells_t_loss_and_error(seen):
    page = seen.page
    chart = page.locator("#figure3 .chart").first
    chart.scroll_into_view_if_needed()
    place = chart.evaluate(
        "c => { const t = c.data.find(d => d.text), a = c._fullLayout, box = c.getBoundingClientRect();"
        "return [box.x + a._size.l + a.xaxis.d2p(t.x[2]), box.y + a._size.t + a.yaxis.d2p(t.y[2])]; }"
    )
    page.mouse.move(*place)
    page.wait_for_selector("#figure3 .hovertext")
    told = chart.locator(".hovertext").first.text_content()
    assert re.search(r"seed \d.*t: 0.5.*1\.1700 nats ± 0.0031", told)


def test_every_control_can_be_reached_and_is_seen_when_it_is(seen):
    page = seen.page
    reached = []
    for _ in range(40):
        page.keyboard.press("Tab")
        kind, style, width = page.evaluate(
            "(() => { const e = document.activeElement; return [e.tagName + '.' + (e.type || ''),"
            "getComputedStyle(e).outlineStyle, getComputedStyle(e).outlineWidth]; })()"
        )
        reached.append(kind)
        assert style != "none", kind
        assert width != "0px", kind
    assert {"A.", "INPUT.checkbox", "INPUT.radio", "DIV."} <= set(reached)


def test_it_is_accessible(seen):
    """No violation of WCAG 2.1, A and AA, that axe finds: contrast, names, structure."""
    seen.page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
    found = Axe().run(seen.page, options={"runOnly": {"type": "tag", "values": tags}})
    assert found.violations_count == 0, found.generate_report()
    passed = {each["id"] for each in found.response["passes"]}
    assert {"color-contrast", "label", "html-has-lang", "scrollable-region-focusable"} <= passed


def test_on_paper_there_are_pictures_and_no_controls(seen):
    page = seen.page
    page.emulate_media(media="print")
    assert page.locator(".static:visible").count() == len(_FIGURES)
    assert page.locator(".controls:visible").count() == page.locator(".charts:visible").count() == 0
    assert page.locator(".static").evaluate_all("all => all.every(each => each.naturalWidth > 0)")
    assert page.pdf(format="A4").startswith(b"%PDF")
    page.emulate_media(media="screen")


def test_without_scripts_there_are_pictures_too(browser, study):
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(study[0].report.absolute().as_uri())
    assert page.locator(".static:visible").count() == len(_FIGURES)
    assert page.locator(".controls:visible").count() == 0
    page.close()


def test_a_figure_that_cannot_be_drawn_leaves_its_picture_and_the_others(browser, study, tmp_path):
    page = study[0].report.read_text()
    broken = tmp_path / "report.html"
    first = page.index('class="data">[') + len('class="data">')
    broken.write_text(page[:first] + "[{" + page[page.index("</script>", first) :])
    visit = Visit(browser, broken)
    assert visit.page.locator("#figure1 .static").is_visible()
    assert visit.page.locator(".static:visible").count() == 1
    assert visit.page.locator("#figure1 .controls:visible").count() == 0
    assert [problem.partition(":")[0] for problem in visit.problems] == ["error"]
    visit.page.close()


def test_what_the_runs_were_trained_under_is_told(visit):
    """The software and the device of every run, and not of the machine that the report was made on."""
    table = visit.page.get_by_role("table", name="What the runs were trained under")
    assert table.locator("tbody tr").all_inner_texts() == ["tensorflow\t2.21.0 or 2.20.0", "device\tSome GPU"]


def test_how_long_it_took_is_told(visit):
    words = visit.page.locator("#steps p").inner_text()
    steps = 18 + 6 + 26
    minutes = round((steps * finished_study.SECONDS) / 60)
    assert f"Their commands ran for {minutes} minutes in sum, 1 at a time" in words


def test_every_step_is_told_with_its_command(study):
    written, *_ = study
    with written.steps_table.open() as lines:
        rows = list(csv.DictReader(lines))
    assert {row["state"] for row in rows} == {"done"}
    assert all(
        row["command"].startswith(("python train.py", "python interpolate.py", "python scripts/")) for row in rows
    )
    page = written.report.read_text()
    assert "python scripts/reproduce.py --gin_file=gin/digits/study.gin &#39;--output_dir=runs/a study&#39;" in page
    for name in ("figure1", "figure5"):
        assert f"--only={name}" in page


def test_what_is_not_finished_is_said_at_the_top(browser, tmp_path):
    failure = Failure("dense-seed0", "it <did> not work", tmp_path / "dense-seed0.log")
    written, _, judged = _write(tmp_path, finished_study.study(), {"dense-seed0", "solutions"}, [failure])
    visit = Visit(browser, written.report)
    told = visit.page.locator(".warning").inner_text()
    steps = len(written.steps_table.read_text().splitlines()) - 1
    assert f"{steps - 2} of {steps} steps are done." in told
    assert f"Failed: dense-seed0: it <did> not work ({failure.log})" in told
    assert [claim.verdict for claim in judged] == [*["confirmed"] * 4, "undecided"]
    assert visit.problems == []


def test_a_study_without_any_result_has_a_report(tmp_path):
    written, reported, judged = _write(tmp_path, finished_study.study(), nothing=True)
    assert reported == [written.report]
    assert {claim.verdict for claim in judged} == {"undecided"}


def test_the_same_study_gives_the_same_files(study, tmp_path):
    """Dates and this machine are in the report alone."""
    again, *_ = _write(tmp_path, finished_study.study())
    for name in ("runs.csv", "paths.csv", "figure3.svg", "figure4.png"):
        assert (again.directory / name).read_bytes() == (study[0].directory / name).read_bytes()
