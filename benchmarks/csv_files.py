"""`python -m benchmarks.csv_files [SIZE]`: a file of SIZE leads is imported as a job, and exported, by the real server.

An import counts from the POST that starts it until the job's last chunk is written; upload and preview are told beside
it. It is compared with what mongoimport does, in a process of its own: csv.DictReader, and insert_many of 1,000 rows at
a time into a collection with the same indexes. That writes the cells as they are: no check, no duplicates found, and
nothing to be resumed or undone. A third column has them with the words by which leads are found, which the largest
of the indexes is about: what MongoDB itself needs for such leads.
"""

from __future__ import annotations

import argparse
import csv
import http.client
import io
import json
import time
from itertools import islice
from typing import Any, NamedTuple

from benchmarks import processes, servers
from benchmarks.helper import helper
from benchmarks.servers import Server
from benchmarks.tables import Goal, Table, median, number, times
from benchmarks.waiting import until
from config import Settings
from crmapp.local.samples import sample_leads

LONGEST_SECONDS = 1800
QUICK_SIZE = 10_000
WANTED_SHARE = 0.5
COLUMNS = ("name", "email", "phone", "company", "source", "status", "notes")
BOUNDARY = "the-boundary-of-the-benchmark"


class Figures(NamedTuple):
    """Rows a second, and the memory of the process, at most, in MiB more than before."""

    rate: float
    memory: float


class Benchmark:
    def __init__(self, settings: Settings, size: int) -> None:
        self._settings = settings
        self._size = size
        self._file = file_of(size)
        self.imports: list[Figures] = []
        self.exports: list[Figures] = []
        self.peers: dict[bool, list[Figures]] = {False: [], True: []}
        self.uploads: list[float] = []
        self.previews: list[float] = []

    def run(self, rounds: int) -> None:
        for _ in range(rounds):
            for with_words in self.peers:
                self._insert_many(with_words)
            self._ours()

    def _insert_many(self, with_words: bool) -> None:
        uri, db = servers.new_database(self._settings, "insert_many")
        path = self._settings.data_dir / "leads.csv"
        path.write_bytes(self._file)
        with helper("peers.insert_many", uri) as peer:
            peer.tell("insert", path=str(path), with_words=with_words)
            took = peer.answer(LONGEST_SECONDS)
        if db.leads.count_documents({}) != self._size:
            raise RuntimeError("not every row was inserted")
        self.peers[with_words].append(Figures(self._size / took["seconds"], took["memory"]))
        db.client.drop_database(db)
        db.client.close()

    def _ours(self) -> None:
        uri, db = servers.new_database(self._settings, "csv_files")
        servers.add_admin(db)
        environ = servers.environ_of(self._settings, uri)
        with servers.crmapp_server(environ, self._settings.data_dir / "csv_files.log") as server:
            token = servers.sign_in(server.port)
            import_id = self._upload(server, token)
            self._import(db, server, token, import_id)
            self._export(server, token)
        db.client.drop_database(db)
        db.client.close()

    def _upload(self, server: Server, token: str) -> str:
        began = time.monotonic()
        answer = upload(server.port, token, self._file)
        self.uploads.append(time.monotonic() - began)
        import_id = str(answer["id"])
        began = time.monotonic()
        path = f"/crm/leads/imports/{import_id}/preview"
        _, seen = servers.call(server.port, "POST", path, {}, token, LONGEST_SECONDS)
        self.previews.append(time.monotonic() - began)
        if seen["data"]["new"] != min(self._size, seen["data"]["rows"]):
            raise RuntimeError(f"the preview is wrong: {seen}")
        return import_id

    def _import(self, db: Any, server: Server, token: str, import_id: str) -> None:
        memory = forget_peak(server)
        began = time.time()
        path = f"/crm/leads/imports/{import_id}/start"
        status, answer = servers.call(server.port, "POST", path, {}, token)
        if status != 202:
            raise RuntimeError(f"not started: {answer}")
        done = {"_id": import_id, "phase": "over"}
        job = until(lambda: db.jobs.find_one(done), LONGEST_SECONDS, "the import ends")
        if job["counts"]["imported"] != self._size:
            raise RuntimeError(f"not every row was imported: {job['counts']}")
        seconds = job["workedAt"].timestamp() - began
        self.imports.append(Figures(self._size / seconds, peak(server) - memory))

    def _export(self, server: Server, token: str) -> None:
        memory = forget_peak(server)
        began = time.monotonic()
        lines = download(server.port, token, "/crm/leads/export.csv")
        seconds = time.monotonic() - began
        if lines != self._size + 1:
            raise RuntimeError(f"{lines} lines were exported")
        self.exports.append(Figures(self._size / seconds, peak(server) - memory))


def file_of(size: int) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, extrasaction="ignore")
    writer.writeheader()
    status = {"status": "new"}
    writer.writerows({**lead, **status} for lead in islice(sample_leads(size), size))
    return text.getvalue().encode()


def forget_peak(server: Server) -> float:
    processes.forget_peak(server.worker)
    return processes.memory_kib(server.worker) / 1024


def peak(server: Server) -> float:
    return processes.memory_kib(server.worker, "VmHWM") / 1024


def upload(port: int, token: str, content: bytes) -> dict[str, Any]:
    head = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="leads.csv"\r\n\r\n'
    )
    body = head.encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()
    headers = {
        "Authorization": f"Bearer {token}",
        "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
    }
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LONGEST_SECONDS)
    connection.request("POST", "/crm/leads/imports", body, headers)
    answer = json.loads(connection.getresponse().read())
    connection.close()
    return dict(answer["data"])


def download(port: int, token: str, path: str) -> int:
    """How many lines there are at `path`."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LONGEST_SECONDS)
    connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
    answer, lines = connection.getresponse(), 0
    while block := answer.read(1024 * 1024):
        lines += block.count(b"\r\n")
    connection.close()
    return lines


def table_of(benchmark: Benchmark, size: int, rounds: int) -> Table:
    peers = ["DictReader + insert_many", "the same with words"]
    table = Table(f"A CSV file of {size:,} leads, medians of {rounds}", ["crmapp", *peers])
    runs = [benchmark.imports, *benchmark.peers.values()]
    ours, plain, with_words = (median([run.rate for run in each]) for each in runs)
    goal = Goal(f"at least {WANTED_SHARE} x of that with words", ours >= WANTED_SHARE * with_words)
    ratio = f"{times(ours / plain)}, {times(ours / with_words)}"
    table.row("import: rows/s", *map(number, (ours, plain, with_words)), ratio=ratio, goal=goal)
    table.row(
        "import: memory, MiB more", *(number(max(run.memory for run in each)) for each in runs)
    )
    table.row("export: rows/s", number(median([run.rate for run in benchmark.exports])))
    table.row("export: memory, MiB more", number(max(run.memory for run in benchmark.exports)))
    table.row("upload: s", number(median(benchmark.uploads)))
    table.row("preview: s", number(median(benchmark.previews)))
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("size", type=int, nargs="?", default=100_000, metavar="SIZE")
    parser.add_argument("--rounds", type=int, default=1, help="medians of so many runs (1)")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_SIZE:,} leads")
    arguments = parser.parse_args()
    size = QUICK_SIZE if arguments.quick else arguments.size
    with servers.parts() as settings:
        benchmark = Benchmark(settings, size)
        benchmark.run(arguments.rounds)
    table_of(benchmark, size, arguments.rounds).show()


if __name__ == "__main__":
    main()
