"""Run a notebook from beginning to end with a library of its own, and write it with what its cells gave.

::

    python -m tools.run_notebook docs/first_result.ipynb             # in place
    python -m tools.run_notebook docs/first_result.ipynb --out FILE  # elsewhere

Charts are kept as pictures: the specifications beside them, which front ends draw when the notebook is run, are left
out, and so are progress bars. A cell that fails ends it with the cell's error and exit status 1.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

LIMIT_S = 120
"""Of a cell."""


def run(path: Path) -> nbformat.NotebookNode:
    """Return the notebook at ``path`` with all outputs of a run of its own.

    Raises:
        CellExecutionError: a cell failed.
    """
    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as home:
        os.environ["PROMPTREEL_HOME"] = home  # which the kernel takes over
        client = NotebookClient(
            notebook, timeout=LIMIT_S, resources={"metadata": {"path": str(path.parent.absolute())}}
        )
        client.execute()
    return notebook


def slim(notebook: nbformat.NotebookNode) -> None:
    """Leave out what a reader doesn't see, and what differs from run to run."""
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = [_slim(output) for output in cell.outputs if output.get("name") != "stderr"]


def _slim(output: Any) -> Any:
    data = output.get("data", {})
    for kind in [kind for kind in data if kind.startswith("application/vnd.vega")]:
        del data[kind]
    return output


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("notebook", type=Path)
    parser.add_argument("--out", type=Path, help="where to write it; everything that cells gave is kept there")
    args = parser.parse_args()
    try:
        notebook = run(args.notebook)
    except CellExecutionError as error:
        print(error, file=sys.stderr)
        return 1
    if args.out is None:
        slim(notebook)
    nbformat.write(notebook, args.out or args.notebook)
    return 0


if __name__ == "__main__":
    sys.exit(main())
