"""The course says what the book says: nothing in it is written twice, and no solution slips through."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import matplotlib as mpl
import nbformat
import numpy as np
import pytest
from docutils import nodes
from matplotlib.figure import Figure
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from shattered_lite import checks
from shattered_lite.exercises import ASSIGNMENTS, EXERCISES
from tools import assignments, colab, course, exam, figure_files, figure_forms, slides, students
from tools.colab import SOLVES
from tools.execute import Result, code_cells
from tools.site import ROOT

NOTEBOOKS = {file.stem: nbformat.read(file, as_version=4) for file in sorted((ROOT / "notebooks").glob("*.ipynb"))}
BANK = [question for notebook in NOTEBOOKS.values() for question in students.questions(notebook)]
SOURCES = assignments.sources()


def text_of(notebook: NotebookNode) -> str:
    return "\n\n".join(cell.source for cell in notebook.cells)


def chapter_of(notebook: NotebookNode) -> str:
    return (ROOT / "book" / notebook.metadata.shattered.chapter).read_text()


# Notebooks for students


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_student_gets_the_chapter_but_for_its_solutions(name: str) -> None:
    """What is left out are the solutions of the chapter, no more and no fewer; all else stands as it stood."""
    whole, part = NOTEBOOKS[name], students.for_students(NOTEBOOKS[name])
    taken = [cell.source for cell in whole.cells if students.is_solution(cell)]
    left = [cell for cell in whole.cells if not students.is_solution(cell)]
    rest = [
        students.SOLUTION.sub("", cell.source).strip() if cell.cell_type == "markdown" else cell.source for cell in left
    ]
    assert [cell.source for cell in part.cells] == [source for source in rest if source]
    folds = sum(len(students.SOLUTION.findall(cell.source)) for cell in left if cell.cell_type == "markdown")
    asked = re.findall(r"^`{3,}\{solution(?:-start)?\}", chapter_of(whole), re.MULTILINE)
    assert len(asked) <= folds + len(taken)
    assert bool(asked) == bool(folds)
    assert SOLVES not in text_of(part)
    assert "<summary>Solution" not in text_of(part)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_line_of_a_solution_is_in_no_notebook_for_students(name: str) -> None:
    """Taken from the chapter's own source, in which no tool has had its hand yet: code, and prose between formulas."""
    chapter = chapter_of(NOTEBOOKS[name])
    solved = re.findall(r"^```\{solution-start\}(.*?)^```\{solution-end\}", chapter, re.MULTILINE | re.DOTALL)
    solved += [text for _, text in re.findall(r"^(`{3,})\{solution\}(.*?)^\1$", chapter, re.MULTILINE | re.DOTALL)]
    outside = chapter
    for text in solved:
        outside = outside.replace(text, "")
    cells = re.findall(r"```\{code-cell\}.*?\n(.*?)```", "\n".join(solved), re.DOTALL)
    lines = {line.strip() for line in "\n".join(cells).split("\n")}
    secret = [line for line in lines if len(line) > 25 and line not in outside and not line.startswith(":tags:")]
    phrases = [phrase for text in solved for phrase in re.findall(r"[A-Za-z][A-Za-z ,;']{30,}", text)]
    secret += [phrase for phrase in phrases if phrase not in outside]
    given = text_of(students.for_students(NOTEBOOKS[name]))
    assert secret or not solved
    assert [line for line in secret if line in given] == []


def test_a_solution_that_cannot_be_taken_out_is_an_error() -> None:
    text = "<details>\n<summary>Solution to it</summary>\n\nSeven.\n\n</details>"
    with pytest.raises(ValueError, match="a solution is not where it can be taken out"):
        students.for_students(new_notebook(cells=[new_markdown_cell(text)]))


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_solutions_stand_apart_with_the_code_on_which_they_rest(name: str) -> None:
    whole, apart = NOTEBOOKS[name], students.solutions(NOTEBOOKS[name])
    shown_texts = [cell.source for cell in whole.cells if cell.cell_type == "markdown"]
    texts = [text for source in shown_texts for text in students.SOLUTION.findall(source)]
    if apart is None:
        assert texts == []
        return
    nbformat.validate(apart)
    assert all(f"**Solution.** {text}" in text_of(apart) for text in texts)
    code = [cell.source.removeprefix(SOLVES) for cell in whole.cells if cell.cell_type == "code"]
    blank = [cell.source for cell in whole.cells if students.is_blank(cell)]
    assert sorted(cell.source for cell in code_cells(apart)) == sorted(source for source in code if source not in blank)
    assert len({cell.id for cell in apart.cells}) == len(apart.cells)


# Exam bank


def test_every_checked_exercise_of_a_chapter_is_in_the_bank() -> None:
    text = "".join(path.read_text() for path in (ROOT / "book").glob("*.md"))
    assert sorted(question.name for question in BANK) == sorted(
        set(re.findall(r'exercises\.check\(\s*"([^"]+)"', text))
    )


def value(text: str) -> float:
    """What a choice says."""
    return float(
        eval(text.strip("$").replace("infinite", "inf").replace(r"\cdot", "*").replace("^", "**").translate(BRACES))
    )


BRACES = str.maketrans("{}", "()")


@pytest.mark.parametrize("question", BANK, ids=lambda question: question.name)
def test_a_question_offers_the_answer_and_each_usual_mistake(question: students.Question) -> None:
    exercise = EXERCISES[question.name]
    offered = re.findall(r"^- ([A-H])\. (.+)$", exam.asked(question), re.MULTILINE)
    assert question.text.startswith("**Exercise ")
    assert question.solution
    assert question.solution not in exam.asked(question)
    assert question.solution in exam.answered(question)
    assert len(offered) == (0 if callable(exercise.answer) else 1 + len(exercise.mistakes))
    assert "The cell checks" not in exam.asked(question)
    if offered:
        [right] = re.findall(r"^- ([A-H])\. (.+): \*\*right\*\*$", exam.answered(question), re.MULTILINE)
        assert right in offered
        assert value(right[1]) == pytest.approx(float(exercise.answer), rel=1e-3)
        assert all(hint in exam.answered(question) for _, hint in exercise.mistakes)


def test_the_right_answer_has_no_letter_of_its_own() -> None:
    right = re.findall(r"^- ([A-H])\. .+: \*\*right\*\*$", "\n".join(map(exam.answered, BANK)), re.MULTILINE)
    assert max(Counter(right).values()) < 0.4 * len(right)


@pytest.mark.parametrize("question", BANK, ids=lambda question: question.name)
def test_the_form_of_a_choice_gives_nothing_away(question: students.Question) -> None:
    """No number is written as a machine does, and either all choices are formulas or none is."""
    offered = re.findall(r"^- [A-H]\. (.+)$", exam.asked(question), re.MULTILINE)
    assert not [text for text in offered if re.search(r"\de[-+]?\d", text)]
    assert len({text.startswith("$") for text in offered}) <= 1
    assert len(set(offered)) == len(offered)


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([2.0**-10, 4.0**-10, 1.0], ["$2^{-10}$", "$2^{-20}$", "$2^{0}$"]),
        ([1e12, 6.4e7, 8e6], [r"$1 \cdot 10^{12}$", r"$6.4 \cdot 10^{7}$", r"$8 \cdot 10^{6}$"]),
        ([0.02177, 4.116e-5, 0.0, 301.0, 1.5], ["0.02177", "0.00004116", "0", "301", "1.5"]),
        ([8.0, 64.0, 512.0, -3.0, float("inf")], ["8", "64", "512", "-3", "infinite"]),
    ],
)
def test_numbers_are_written_by_hand(values: list[float], texts: list[str]) -> None:
    assert exam.written(values) == texts


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("noise-kinks", "Closed book."),
        ("curve-border", "Closed book."),  # the package only checks its solution
        ("active-centred-three", "Closed book."),  # a link to the glossary
        ("residual-lengths", "With the book."),
        ("path-half", "With the book."),
        ("noise-half-depth", "With a computer."),
        ("curve-chain", "With a computer."),
        ("plain-uncentred", "With a computer."),
    ],
)
def test_a_question_says_what_it_needs(name: str, wanted: str) -> None:
    [question] = [each for each in BANK if each.name == name]
    assert f".** *{wanted}* " in exam.asked(question)
    assert f".** *{wanted}* " in exam.answered(question)


def test_choices_say_to_which_part_of_a_question_they_belong() -> None:
    text = "**Exercise 2.2 (Three (warm-up)).** What is it? (The cell checks $R(i)$, not the proof.) How bent is it?"
    question = students.Question("active-centred-three", text, "Seven.")
    parts = exam.asked(question).split("\n\n")
    assert parts[0] == "**Exercise 2.2 (Three (warm-up)).** *Closed book.* What is it? How bent is it?"
    assert parts[1] == "*To choose:* $R(i)$."
    assert parts[2].startswith("- A. ")


SEVERAL = re.compile(
    r"[?.] .*\b(?:[Ss]how|[Pp]rove|[Cc]ompare)\b|\b(?:[Ss]how|[Pp]rove)\b.*\?|\?.*\?|\band find\b", re.DOTALL
)


def test_a_question_with_choices_and_several_parts_says_which_is_checked() -> None:
    """In the chapters, so that pages, notebooks and the bank have it from there."""
    silent = []
    for path in (ROOT / "book").glob("*.md"):
        for exercise in path.read_text().split("```{exercise-start}")[1:]:
            text, _, code = exercise.partition("```\n")[2].partition("```{code-cell}")
            found = re.search(r'exercises\.check\("([^"]+)", answer\)', code.partition("```")[0])
            offered = found and not callable(EXERCISES[found[1]].answer)
            if offered and SEVERAL.search(text) and "The cell checks" not in " ".join(text.split()):
                silent.append(found[1])
    assert silent == []


# Assignments


@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_an_assignment_asks_what_is_graded(name: str) -> None:
    given = assignments.notebook(name, SOURCES[name], solved=False)
    solved = assignments.notebook(name, SOURCES[name], solved=True)
    assignment, text = ASSIGNMENTS[name], text_of(given)
    for notebook in (given, solved):
        nbformat.validate(notebook)
        assert all("tags" not in cell.metadata for cell in notebook.cells)
    for task in assignment.tasks:
        [cell] = [cell.source for cell in code_cells(given) if cell.source.startswith(f"{task.answer} = None")]
        assert f'sl.exercises.check("{task.exercise}", {task.answer})' in cell
        assert f"`{task.answer}`" in text
    stated = [int(points) for points in re.findall(r"^## Task \d \((\d) points", text, re.MULTILINE)]
    assert stated == [task.points for task in assignment.tasks] + [part.points for part in assignment.by_hand]
    assert "Solution" not in text
    assert "Rubric" not in text
    assert f"| together | {sum(stated)} |" in text_of(solved)


def test_a_proof_is_given_a_point_for_its_assumptions() -> None:
    assert "Name the assumption that each step uses." in text_of(
        assignments.notebook("theory", SOURCES["theory"], False)
    )
    [proof] = [part for part in ASSIGNMENTS["theory"].by_hand if part.name == "proof"]
    assert "1 for naming the assumption of each step" in proof.rubric


@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_the_solution_is_right(name: str, capsys: pytest.CaptureFixture) -> None:
    namespace: dict[str, Any] = {}
    for cell in code_cells(assignments.notebook(name, SOURCES[name], solved=True)):
        if "%pip" not in cell.source:
            exec(cell.source, namespace)
    said = capsys.readouterr().out.splitlines()
    assert said.count("Right.") == len(ASSIGNMENTS[name].tasks)
    shown = re.compile(r"Right\.|No answer yet.*|(plain|residual), \d layers: .*, the law .*")
    assert [line for line in said if not shown.fullmatch(line)] == []


# Slides


def test_a_vote_offers_what_students_are_known_to_answer() -> None:
    found = slides.choices("residual-lengths", ["- 30", "- 20:: twenty", "- 15"])
    assert [text for text, _ in found] == ["30", "twenty", "15"]
    assert [said is None for _, said in found] == [False, True, False]
    assert found[0][1] == dict(EXERCISES["residual-lengths"].mistakes)[30]


@pytest.mark.parametrize(
    ("exercise", "lines", "said"),
    [
        ("residual-length", ["- 20"], "no such exercise"),
        ("residual-lengths", ["- 20", "- 25"], "nobody is known to answer 25"),
        ("residual-lengths", ["- 30", "- 15"], "one choice must be right, 20"),
        ("residual-lengths", ["- 20", "twenty"], "'twenty' is no choice"),
        ("residual-beta", ["- 1"], "its answer is a function"),
    ],
)
def test_a_vote_that_is_wrong_is_named(exercise: str, lines: list[str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        slides.choices(exercise, lines)


def lecture(minutes: list[int], whole: int) -> nodes.document:
    document = nodes.document(None, None)
    document += slides.plan(minutes=whole)
    for number, each in enumerate(minutes):
        document += nodes.section("", nodes.title("", f"Slide {number}"), slides.speech("", minutes=each))
    return document


def test_a_plan_adds_up() -> None:
    assert slides.stages(lecture([4, 0, 6], 10)) == [(0, 4, "Slide 0"), (4, 10, "Slide 2")]
    slides.lay_plan(None, lecture([4, 0, 6], 10))
    with pytest.raises(ValueError, match="plan 50: the slides take 10 minutes"):
        slides.lay_plan(None, lecture([4, 0, 6], 50))


def test_a_plan_keeps_the_formula_of_a_title() -> None:
    document = lecture([4], 4)
    [title] = document.findall(nodes.title)
    title += [nodes.Text(": "), nodes.math("", "2^{-L}")]
    assert slides.stages(document) == [(0, 4, "Slide 0: $2^{-L}$")]
    slides.lay_plan(None, document)
    [item] = document.findall(nodes.list_item)
    assert item.astext() == "0 to 4: Slide 0: 2^{-L}"
    assert len(list(item.findall(nodes.math))) == 1


@pytest.mark.parametrize("name", ["lecture-50", "lecture-90"])
def test_a_lecture_has_what_the_page_for_teachers_says(name: str) -> None:
    source = (slides.SOURCES / f"{name}.md").read_text()
    parts = re.findall(r"\{include\} (\S+)", source)
    text = "".join((slides.SOURCES / part).read_text() for part in parts)
    assert len(re.findall(r"^```\{vote\}", text, re.MULTILINE)) == 4
    assert {"who-is-active", "theorem-1", "theorem-2"} <= set(re.findall(r"\(drawings/([\w-]+)\.svg\)", text))
    [proof] = re.findall(r"^```\{revealjs-fragments\}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert [line.split(".")[0] for line in proof.strip().split("\n")] == [str(number) for number in range(1, 11)]
    assert text.count("## Proved, measured, contested") == 1
    assert text.count("```{widget} shatter") == 1


# Figures


def draw() -> Figure:
    figure = Figure()
    left, right = figure.subplots(1, 2)
    left.plot([0, 1], [2, 3], label="a line")
    left.scatter([5], [6], label="one point")
    left.errorbar([0, 1], [1, 1], [0.5, 0.5], label="bars")
    left.fill_between([0, 1], [0, 0], [1, 2])
    right.bar([1], [4], width=1)
    right.imshow(np.array([[1.0, 2.0], [3.0, 4.0]]), extent=(0, 2, 0, 2))
    right.set_title("pixels")
    return figure


@pytest.fixture
def drawn() -> Figure:
    return draw()


def rows(figure: Figure, kind: str) -> list[tuple[str, ...]]:
    table = csv.DictReader(io.StringIO(figure_forms.numbers(figure)))
    return [(row["label"], row["x"], row["y"], row["value"] or "") for row in table if row["kind"] == kind]


def test_the_numbers_of_a_figure_are_those_that_are_drawn(drawn: Figure) -> None:
    assert ("a line", "1", "3", "") in rows(drawn, "line")
    assert ("bars", "0", "1", "") in rows(drawn, "line")
    assert ("one point", "5", "6", "") in rows(drawn, "points")
    assert ("bars", "0", "0.5", "") in rows(drawn, "segments")
    assert ("pixels", "0.5", "4", "") in rows(drawn, "outline")
    assert {row[1:3] for row in rows(drawn, "outline")} == {("0.5", "0"), ("1.5", "0"), ("1.5", "4"), ("0.5", "4")}
    pixels = [("0.5", "1.5", "1"), ("1.5", "1.5", "2"), ("0.5", "0.5", "3"), ("1.5", "0.5", "4")]
    assert [row[1:] for row in rows(drawn, "image")] == pixels


def test_the_numbers_of_a_figure_say_what_they_are() -> None:
    """By the legend, else by the colour that a legend names, else by what the panel shows; and what its axes are."""
    figure = Figure()
    panels = figure.subplots(2, 2, sharex=True, sharey="row")
    panels[0, 0].plot([1, 2], [3, 4], color="red", label="plain")
    panels[0, 0].fill_between([1, 2], [2, 3], [4, 5], color="red", alpha=0.2)
    panels[0, 0].axhline(0.1, color="grey")
    panels[0, 0].set_ylabel("correlation")
    panels[0, 1].plot([1, 2], [3, 4], color="red")
    panels[1, 0].plot([1, 2], [5, 6], color="blue")
    panels[1, 0].set(xlabel="depth\nof all", ylabel="accuracy", xticks=[1, 2], xticklabels=["shallow", "deep"])
    panels[1, 0].set(yticks=[5, 6], yticklabels=[5, 6])
    figure.colorbar(panels[1, 1].imshow(np.eye(2)), ax=panels[1, 1], label="cosine")
    figure.legend(*panels[0, 0].get_legend_handles_labels())
    table = list(csv.DictReader(io.StringIO(figure_forms.numbers(figure))))
    said = dict.fromkeys((row["panel"], row["kind"], row["label"], row["y axis"]) for row in table)
    assert list(said) == [
        ("1", "line", "plain", "correlation"),
        ("1", "level", "level", "correlation"),
        ("1", "area", "colour of plain", "correlation"),
        ("2", "line", "colour of plain", "correlation"),
        ("3", "line", "accuracy", "accuracy"),
        ("4", "image", "cosine", "accuracy"),
    ]
    assert {row["x axis"] for row in table} == {"depth of all: 1 = shallow, 2 = deep"}
    assert [(row["x"], row["y"]) for row in table if row["kind"] == "level"] == [("", "0.1")]


def test_a_panel_under_a_title_takes_its_name_and_that_of_its_row() -> None:
    figure = Figure()
    panels = figure.subplots(2, 2)
    panels[0, 1].set_title("24 layers")
    panels[1, 0].set_ylabel("input")
    for panel in panels.flat:
        panel.plot([1, 2], [3, 4])
    table = list(csv.DictReader(io.StringIO(figure_forms.numbers(figure))))
    said = dict.fromkeys((row["panel"], row["label"], row["y axis"]) for row in table)
    assert list(said) == [
        ("1", "line", ""),
        ("2", "24 layers", ""),
        ("3", "input", "input"),
        ("4", "24 layers", "input"),
    ]


def test_the_same_figure_has_the_same_forms() -> None:
    mpl.use("Agg")
    first, again = figure_forms.forms(draw()), figure_forms.forms(draw())
    assert first.keys() == figure_forms.FORMS.keys()
    assert first["image/svg+xml"] == again["image/svg+xml"]
    assert first["text/csv"] == again["text/csv"]


def executed(name: str | None, forms: dict[str, str]) -> tuple[NotebookNode, Result]:
    cell = new_code_cell("plt.show()")
    if name:
        cell.metadata["mystnb"] = {"figure": {"name": name}}
    run = new_code_cell("plt.show()", outputs=[nbformat.v4.new_output("display_data", data={"image/png": "", **forms})])
    return new_notebook(cells=[cell]), Result(new_notebook(cells=[run]), 1.0, 1.0)


def test_a_figure_is_written_in_each_form(tmp_path: Path) -> None:
    forms = {"image/svg+xml": "<svg/>", "application/pdf": "JVBERg==", "text/csv": "panel\n"}
    figure_files.write_chapter(*executed("fig-x", forms), tmp_path)
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {
        "fig-x.svg": "<svg/>", "fig-x.pdf": "%PDF", "fig-x.csv": "panel\n",
    }  # fmt: skip


@pytest.mark.parametrize(("name", "said"), [(None, "without a name"), ("fig-x", "without its forms")])
def test_a_figure_that_cannot_be_handed_out_is_an_error(name: str | None, said: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=said):
        figure_files.write_chapter(*executed(name, {} if name else dict.fromkeys(figure_forms.FORMS, "")), tmp_path)


def test_the_kernel_is_told(drawn: Figure) -> None:
    told: dict[tuple[str, str], Any] = {}
    formatter = SimpleNamespace(for_type_by_name=lambda module, name, make: told.update({(module, name): make}))
    figure_forms.load_ipython_extension(
        SimpleNamespace(display_formatter=SimpleNamespace(mimebundle_formatter=formatter))
    )
    assert told["matplotlib.figure", "Figure"](drawn, include=None, exclude=None).keys() == figure_forms.FORMS.keys()


# The last cell


PRINTED = [
    "R at L = 4: predicted 0.0625, measured 0.0631 ± 0.0011 (n = 400, z = 0.5, refuses errors above 6 %, false-alarm "
    "rate 0.001): agrees",
    "mirror: error 1.0e-15, allowed 1e-12: holds",
    "some other line",
]


def test_a_notebook_ends_with_the_numbers_of_the_book() -> None:
    made = colab.comparison(PRINTED, "generator = torch.Generator().manual_seed(7)")
    assert made is not None
    compared: list[Any] = []
    generator = SimpleNamespace(initial_seed=lambda: 9)
    sl = SimpleNamespace(checks=SimpleNamespace(compare=lambda book, **about: compared.append((book, about))))
    exec(re.sub("[\ue000\ue001]", "", made), {"sl": sl, "generator": generator})
    [(book, about)] = compared
    assert book == {"R at L = 4": (0.0631, 0.0011)}
    assert about == {"made_with": f"{colab.versions()}, seed 7", "seed": 9}
    assert set(colab.MEASURED.findall(made)) == {"0.0631, 0.0011", colab.versions()}  # they may differ elsewhere


def test_a_chapter_without_checks_has_no_such_cell() -> None:
    assert colab.comparison(PRINTED[1:], "torch.manual_seed(7)") is None


def test_what_agrees_prints_is_what_the_last_cell_reads(capsys: pytest.CaptureFixture) -> None:
    outcome = checks.agrees(np.arange(20.0), 9.0, "a: mean, (of 20)")
    [match] = [found for line in capsys.readouterr().out.splitlines() if (found := colab.CHECKED.match(line))]
    assert match["name"] == "a: mean, (of 20)"
    assert float(match["estimate"]) == pytest.approx(outcome.estimate, rel=1e-3)
    assert float(match["error"]) == pytest.approx(outcome.standard_error, rel=0.05)


# The folder


def test_the_page_for_teachers_can_be_read_outside_the_book() -> None:
    text = course.readme({"lecture-50": [(0, 4, "A network of one number")]})
    assert not re.search(r"\{\w+\}`", text)
    assert "| 0 to 4 | A network of one number |" in text
    assert "/one-sitting.html)" in text


@pytest.mark.slow
def test_the_folder_is_whole_and_its_decks_open_from_disk(html: Path, browser: Any, tmp_path: Path) -> None:
    assert html.is_dir()
    course.write(tmp_path / "course")
    folder = tmp_path / "course"
    promised = re.findall(r"^\| `([\w.]+)/?` \|", (folder / "README.md").read_text(), re.MULTILINE)
    assert sorted(promised) == sorted(path.name for path in folder.iterdir())
    chapters = "".join(path.read_text() for path in (ROOT / "book").glob("*.md"))
    named = set(re.findall(r"^    name: (fig-\S+)$", chapters, re.MULTILINE))
    for form in ("svg", "pdf", "csv"):
        assert {file.stem for file in (folder / "figures").glob(f"*/fig-*.{form}")} == named
    for name in ("lecture-50", "lecture-90"):
        page = browser.new_page(viewport=slides.SIZE)
        assert faults(page, folder / "lectures" / f"{name}.html") == []
        assert notes_show_formulas_once(page)
        page.close()


def faults(page: Any, deck: Path) -> list[str]:
    """What a deck asks of other hosts, does not find, gets wrong, or cannot fit on a slide."""
    found: list[str] = []
    page.on("requestfailed", lambda request: found.append(request.url))
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on("request", lambda request: found.append(request.url) if request.url.startswith("http") else None)
    page.goto(deck.as_uri())
    page.wait_for_function("Reveal.isReady() && MathJax.startup.promise.then(() => true)")
    assert page.evaluate("Reveal.getSlides().length") > 10
    too_large = page.evaluate(TOO_LARGE)
    assert page.locator(".widget [data-ready]").count() == 1
    return [*found, *page.locator("[data-mjx-error]").all_text_contents(), *too_large]


def notes_show_formulas_once(page: Any) -> bool:
    """In the window of the speaker: as they are drawn, and not as a screen reader gets them as well."""
    page.evaluate("Reveal.slide(0)")
    with page.context.expect_page() as opened:
        page.keyboard.press("s")
    formula = opened.value.locator(".speaker-controls-notes mjx-container").first
    formula.locator("svg").first.wait_for(state="visible")
    hidden = formula.locator("mjx-assistive-mml").is_hidden()
    opened.value.close()
    return bool(hidden)


TOO_LARGE = """async () => {
  const found = [];
  for (const slide of Reveal.getSlides()) {
    const {h, v} = Reveal.getIndices(slide);
    Reveal.slide(h, v, 99);
    while (slide.querySelector(".widget") && !slide.querySelector("[data-ready]"))
      await new Promise(later => setTimeout(later, 50));
    if (slide.scrollHeight > Reveal.getConfig().height || slide.scrollWidth > Reveal.getConfig().width)
      found.push(slide.textContent.trim().slice(0, 40));
  }
  return found;
}"""
