"""The process that draws: a Vega-Lite specification in a line of JSON comes in, an SVG goes out.

Run as a script of its own, with the folder of vl-convert as its argument; it imports nothing of
this package. It ends with its input, or when nothing came for a while.
"""

from __future__ import annotations

import importlib
import json
import os
import select
import signal
import sys

__all__: list[str] = []

IDLE_SECONDS = 10


def draw_all(folder: str) -> None:
    """Answer every request, one after the other."""
    # Ctrl-C reaches every process of a terminal; the one that asks for drawings decides what ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.path.append(folder)
    vega = importlib.import_module("vl_convert")
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    # The next request is sent when this one is answered, so none waits in the buffer.
    while os.name == "nt" or select.select([requests], [], [], IDLE_SECONDS)[0]:
        line = requests.readline()
        if not line:
            return
        try:
            request = json.loads(line)
            svg = vega.vegalite_to_svg(
                request["specification"], vl_version=request["version"], allowed_base_urls=[]
            )
            answer = {"svg": svg}
        except Exception as error:  # noqa: BLE001  (told to who asked)
            answer = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer).encode("ascii") + b"\n")
        answers.flush()


if __name__ == "__main__":
    draw_all(sys.argv[1])
