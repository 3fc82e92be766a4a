"""How soon a reader on a slow 4G line sees a page: its first paint, its mathematics, what moves, what it takes.

Chromium slows the network to 1.6 Mbit/s with 150 ms to each answer, and not the processor. The pages are served
compressed, as hosts of static pages do. Times are those of this machine; run it on a quiet one: ``python
benchmarks/pages.py`` after ``make book``.
"""

from __future__ import annotations

import gzip
import os
import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from mimetypes import guess_type
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, sync_playwright

HTML = Path(__file__).resolve().parents[1] / "_build" / "html"
PAGES = ["index", "one-sitting", "theorem-1", "theorem-3", "fluctuations", "package"]
SIZES = {"desktop": (1300, 900), "phone": (390, 844)}
LOADS = 3  # the median is printed
SLOW_4G = {"offline": False, "latency": 150, "downloadThroughput": 1.6e6 / 8, "uploadThroughput": 750e3 / 8}
WATCH = """
window.moved = 0;
window.drawn = 0;
new PerformanceObserver(list => list.getEntries().forEach(each => window.moved += each.hadRecentInput ? 0 : each.value))
    .observe({type: "layout-shift", buffered: true});
const short = () => document.readyState === "loading"
    && !(document.querySelector("article")?.getBoundingClientRect().bottom > innerHeight);
const waits = () => {
    const loading = [...document.fonts].filter(each => each.status === "loading").map(each => each.family);
    if (!loading.length) return false;
    for (const formula of document.querySelectorAll("article .math")) {
        if (formula.getBoundingClientRect().top > innerHeight) return false;
        for (const sign of formula.querySelectorAll("mjx-c")) {
            const families = getComputedStyle(sign, "::before").fontFamily.split(", ");
            if (families.some(each => loading.includes(each))) return true;
        }
    }
    return false;
};
let calm = 0; // frames that began with all there: a font that comes with the styles is read in one, drawn in the next
const watch = () => {
    calm = short() || waits() ? 0 : calm + 1;
    if (calm === 3) window.drawn = performance.now();
    requestAnimationFrame(watch);
};
watch();
"""


@cache
def compressed(file: Path) -> bytes:
    return gzip.compress(file.read_bytes())


class Host(BaseHTTPRequestHandler):
    """The pages, compressed; what pictures and fonts have been already is sent as it is."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        file = HTML / self.path.split("?")[0].lstrip("/")
        if not file.is_file():
            self.send_error(404)
            return
        packed = file.suffix not in (".webp", ".png", ".woff", ".woff2")
        body = compressed(file) if packed else file.read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", guess_type(file.name)[0] or "application/octet-stream")
        self.send_header("Content-Length", str(len(body)))
        if packed:
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def served() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Host) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def load(browser: Browser, address: str, size: tuple[int, int]) -> tuple[float, float, float, float]:
    """Seconds to the first paint and to the mathematics in view, layout shift, and kB on the line."""
    context = browser.new_context(viewport={"width": size[0], "height": size[1]})
    page = context.new_page()
    devtools = context.new_cdp_session(page)
    devtools.send("Network.enable")
    devtools.send("Network.emulateNetworkConditions", SLOW_4G)
    received: list[float] = []
    devtools.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    page.add_init_script(WATCH)
    page.goto(address, wait_until="networkidle", timeout=120_000)
    paint, drawn, moved = page.evaluate(
        "[performance.getEntriesByName('first-contentful-paint')[0].startTime, window.drawn, window.moved]"
    )
    context.close()
    return paint / 1000, max(paint, drawn) / 1000, moved, sum(received) / 1000


def main() -> None:
    if not (HTML / "index.html").is_file():
        sys.exit("The book is not built: run `make book` first.")
    print(f"{'':26}{'first paint':>13}{'mathematics':>13}{'shift':>8}{'transfer':>10}")
    with served() as address, sync_playwright() as playwright:
        program = shutil.which("chromium")
        options = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=program, args=options)
        for name in PAGES:
            for screen, size in SIZES.items():
                loads = [load(browser, f"{address}/{name}.html", size) for _ in range(LOADS)]
                paint, drawn, moved, kilobytes = (median(column) for column in zip(*loads, strict=True))
                print(
                    f"{name + ', ' + screen:26}{paint:11.1f} s{drawn:11.1f} s{moved:8.3f}{kilobytes:7.0f} kB",
                    flush=True,
                )
        browser.close()


if __name__ == "__main__":
    main()
