"""The tests of the house itself: every option, command, event, package and reason is documented, and nothing else is said."""

import ast
import re
from pathlib import Path

from broadsheet.server.cli import COMMANDS
from broadsheet.server.options import as_markdown

ROOT = Path(__file__).parent.parent.parent
SOURCE = ROOT / "src" / "broadsheet"
REFERENCE = (ROOT / "docs" / "reference.md").read_text()
PACKAGES = sorted(path.parent.name for path in SOURCE.glob("*/__init__.py"))


def test_the_page_of_options_is_the_table():
    assert (ROOT / "docs" / "options.md").read_text() == as_markdown(), "run `make docs`"


def test_every_command_is_documented():
    documented = set(re.findall(r"^\| `(\w+)", REFERENCE, re.MULTILINE))
    assert set(COMMANDS) <= documented


def test_every_event_is_documented_and_wired():
    wiring = "".join(path.read_text() for path in (SOURCE / "server").glob("wiring*.py"))
    for path in SOURCE.glob("*/events.py"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef):
                assert f"`{node.name}`" in REFERENCE, node.name
                assert f"    {node.name}: (" in wiring, node.name


def test_every_package_is_on_the_map_and_says_what_it_is():
    readme, architecture = (ROOT / "README.md").read_text(), (ROOT / "docs" / "architecture.md").read_text()
    for name in PACKAGES:
        assert f"`{name}`" in readme, name
        assert f"`{name}`" in architecture, name
        docstring = ast.get_docstring(ast.parse((SOURCE / name / "__init__.py").read_text())) or ""
        assert len(docstring.splitlines()) >= 4, f"{name}: what it is, who calls it, what it never does"
        assert "Never" in docstring, name


def test_every_reason_of_the_decision_is_documented():
    source = (SOURCE / "access" / "rules.py").read_text()
    for reason in re.findall(r'_(?:full|wall|none)\((?:\d+, )?"(\w+)"', source):
        # No input reaches "denied": the exhaustive test of the rules would show it.
        assert f"`{reason}`" in REFERENCE or reason == "denied", reason


def test_links_between_the_documents_hold():
    for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
