"""A notebook's client that drops all output: of a loop that prints, there is no end."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nbformat import NotebookNode

NOBODY_READS = {"clear_output", "display_data", "error", "execute_result", "stream", "update_display_data"}


def silent_client(notebook: NotebookNode, home: Path) -> Any:
    """A client of nbclient, whose Python works in a folder of its own."""
    from nbclient import NotebookClient

    class Client(NotebookClient):
        def process_message(self, msg: dict[str, Any], cell: NotebookNode, cell_index: int) -> NotebookNode | None:
            return None if msg["msg_type"] in NOBODY_READS else super().process_message(msg, cell, cell_index)

    quiet = logging.getLogger(__name__)
    quiet.setLevel(logging.CRITICAL)
    path = {"metadata": {"path": str(home)}}
    return Client(notebook, kernel_name="python3", resources=path, log=quiet)
