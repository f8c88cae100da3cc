"""Each import contract is kept, and each can fail: a copy of the house with one wrong import breaks exactly that one."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
PLANTED = {
    "Layers: a package imports only from below its own line": ("access/rules.py", "import broadsheet.press.store"),
    "Rules are pure: no framework, no I/O": ("access/rules.py", "import django.conf"),
    "The hot path is Django-free, to the last import": ("access/meter.py", "import broadsheet.readers.queries"),
    "No cycles between packages": ("clock.py", "import broadsheet.dates\n_ = 1"),
}


def lint(folder):
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"]
    command += ["--config", str(folder / "pyproject.toml"), "--no-cache"]
    return subprocess.run(command, cwd=folder, env={"PYTHONPATH": str(folder / "src"), "PATH": ""}, capture_output=True,
                          text=True, check=False)  # fmt: skip


@pytest.fixture
def house(tmp_path):
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("*.svg", "*.md", "__pycache__"))
    return tmp_path


def wrong_import(contract):
    name = contract["name"]
    if contract["type"] == "protected":
        app = contract["protected_modules"][0].split(".")[1]
        return "server/views.py", f"import broadsheet.{app}.models"
    return PLANTED[name]


def test_every_contract_is_kept():
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout
    assert f"Contracts: {len(CONTRACTS)} kept, 0 broken." in done.stdout


@pytest.mark.parametrize("contract", CONTRACTS, ids=[contract["name"] for contract in CONTRACTS])
def test_every_contract_can_fail(house, contract):
    place, line = wrong_import(contract)
    path = house / "src" / "broadsheet" / place
    path.write_text(path.read_text() + f"\n{line}\n")
    if contract["type"] == "acyclic_siblings":
        other = house / "src" / "broadsheet" / "dates.py"
        other.write_text(other.read_text() + "\nimport broadsheet.clock\n")
    done = lint(house)
    assert done.returncode == 1, done.stdout
    assert f"{contract['name']} BROKEN" in " ".join(done.stdout.split()), done.stdout
