"""Fixtures of the contract's tests."""
import pathlib
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import reader  # noqa: E402

from generator.contract import Contract  # noqa: E402


@pytest.fixture(scope="session")
def contract():
    return Contract(str(reader.TOPOLOGY))


@pytest.fixture(scope="session")
def program(tmp_path_factory):
    """The readers of the contract's own events."""
    folder = tmp_path_factory.mktemp("contract")
    subprocess.run([sys.executable, str(reader.TOPOLOGY / "generate.py"), "code", "--output", str(folder)], check=True)
    return reader.build(folder)
