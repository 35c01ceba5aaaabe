"""Measures the program beside public tools and prints Markdown; `compare.sh` brings what this needs.

Usage: compare.py PROGRAM TOOLS [CORPUS]

Cases of one table take turns, round after round, so that whatever else the machine does hits all of them alike. A figure is
the median of its rounds; processor time is that of the process and its children.
"""

import contextlib
import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
PROGRAM, TOOLS = sys.argv[1], pathlib.Path(sys.argv[2])
CORPUS = pathlib.Path(sys.argv[3]) if len(sys.argv) > 3 else None
PYTHON = TOOLS / "python/bin/python"
WORK = pathlib.Path(tempfile.mkdtemp(prefix="bench-"))
# No docker: where there is one, `init` asks it for the project's containers, and that takes what docker takes.
BIN = WORK / "bin"
ENVIRONMENT = {
    "PATH": f"{BIN}:{TOOLS}/python/bin",
    "HOME": str(WORK),
    "LANG": "C.UTF-8",
    "HONEYCOMB_API_KEY": "0123456789abcdef0123456789abcdef",
}
# What a peer may take for one run before larger files are left out.
PATIENCE = 20


def once(command, allowed=(0,), environment=()):
    """Runs one process to its end: seconds on the clock and seconds of processor time."""
    # A file, not a pipe: a diff of a thousand services would wait for whoever reads it.
    talk = WORK / "talk"
    with talk.open("w") as file:
        before, started = os.times(), time.perf_counter()
        done = subprocess.run(
            [str(word) for word in command],
            env=ENVIRONMENT | dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=file,
            cwd=WORK,
        )
        seconds, after = time.perf_counter() - started, os.times()
    if done.returncode not in allowed:
        raise SystemExit(f"{command} ended with {done.returncode}: {talk.read_text()[-500:]}")
    user = after.children_user - before.children_user
    return seconds, user + after.children_system - before.children_system


def in_turn(cases, rounds, warm=True):
    """The figures of each case; a case is a function that runs one process."""
    for case in cases.values() if warm else []:
        case()
    taken = {name: [] for name in cases}
    for _ in range(rounds):
        for name, case in cases.items():
            taken[name].append(case())
    return {name: Figures(runs) for name, runs in taken.items()}


class Figures:
    def __init__(self, runs):
        seconds = [wall * 1000 for wall, _ in runs]
        self.median, self.least = statistics.median(seconds), min(seconds)
        self.processor = statistics.fmean(cpu * 1000 for _, cpu in runs)

    def cells(self):
        return [f"{value:.1f}" for value in (self.median, self.least, self.processor)]


def table(title, heads, rows):
    print(f"\n### {title}\n")
    for row in [heads, ["---"] * len(heads), *rows]:
        print("| " + " | ".join(str(cell) for cell in row) + " |")
    sys.stdout.flush()


BARS = []


def bar(what, limit, figure, unit):
    BARS.append([what, f"{limit:.3g} {unit}", f"{figure:.2f} {unit}", "yes" if figure <= limit else "**no**"])


def start_up():
    figures = in_turn(
        {
            "`true`": lambda: once(["true"]),
            "`cruddur-ops --version`": lambda: once([PROGRAM, "--version"]),
            "`cruddur-ops --help`": lambda: once([PROGRAM, "--help"]),
            "`zizmor --version`": lambda: once(["zizmor", "--version"]),
        },
        60,
    )
    floor = figures["`true`"]
    rows = [[name, *one.cells(), f"{one.median - floor.median:.1f}"] for name, one in figures.items()]
    table("Start-up", ["", "median ms", "least ms", "processor ms", "over `true`"], rows)
    slower = max(figures[f"`cruddur-ops --{flag}`"].median for flag in ("version", "help"))
    bar("start-up, over `true`", 1.2, slower - floor.median, "ms")


def compose_file(count, endpoint="http://127.0.0.1:4318"):
    """A file as somebody writes it; every service lacks nothing but its name."""
    service = """
  # ---- service {0} ----
  svc-{0:05}:
    <<: *common
    image: "registry.example/svc-{0}:1.{0}"  # pinned
    environment:
      FRONTEND_URL: "https://3000-${{GITPOD_WORKSPACE_ID}}.${{GITPOD_WORKSPACE_CLUSTER_HOST}}"
      LOG_LEVEL:   'info'     # aligned by hand
      SCALE: 010
      OTEL_EXPORTER_OTLP_ENDPOINT: "{1}"
    ports:
    - "{2}:80"
    command: ["sh", "-c", 'echo "hi" && exec run --flag={0}']
    healthcheck: {{ test: ["CMD", "true"], interval: 10s }}
    deploy:
        resources:
            limits: {{cpus: "0.50"}}
    labels:
      long: >-
        folded text that goes on for quite a while, so that whoever writes the file anew would like to wrap it
        second line
"""
    head = "# by hand\n\nx-common: &common\n  restart: unless-stopped   # keep it up\n\nservices:\n"
    return head + "".join(service.format(at, endpoint, 1024 + at) for at in range(count))


def edit():
    """One variable more for each service."""
    names = '.services |= with_entries(.key as $name | .value.environment.OTEL_SERVICE_NAME = $name)'
    yaml_set = TOOLS / "yamlpath/bin/yaml-set"
    peers = {
        "ruamel.yaml": lambda file, out: [PYTHON, HERE / "peers/ruamel_edit.py", file, out],
        "`yq -y`": lambda file, out: ["sh", "-c", f'yq -y \'{names}\' "$1" >"$2"', "sh", file, out],
        "`yaml-set`": lambda file, out: [
            "sh", "-c", 'cp "$1" "$2" && "$3" -g "services.*.environment.OTEL_SERVICE_NAME" -a same "$2"', "sh", file, out, yaml_set,
        ],
    }
    init = [PROGRAM, "init", "--provider", "otlp", "--endpoint", "http://127.0.0.1:4318", "--all-services", "--store", "none"]
    init += ["--yes", "--no-verify", "--no-instrument", "--no-ports", "-C"]
    rows, wires, slowest = [], {}, {}
    for count, rounds, alone in [(10, 10, 10), (100, 5, 10), (1000, 2, 20), (10000, 2, 5)]:
        file, folder = WORK / f"{count}.yml", WORK / f"project-{count}"
        file.write_text(compose_file(count))
        folder.mkdir()
        out = {name: WORK / "out.yml" for name in peers}
        out["cruddur-ops"] = folder / "compose.yml"

        def wire(file=file, folder=folder):
            shutil.copy(file, folder / "compose.yml")
            return once([*init, folder])

        wires[count] = wire
        cases, left_out = {"cruddur-ops": wire}, []
        for name, command in peers.items():
            expected = slowest.get(name, 0) * 10
            if expected > PATIENCE:
                slowest[name] = expected
                left_out.append([name, count, f"left out: some {expected:.0f} s", "", "", "", ""])
                continue
            cases[name] = lambda command=command: once(command(file, WORK / "out.yml"))
        figures = in_turn(cases, rounds, warm=count < 1000)
        beside = figures["cruddur-ops"].median
        figures["cruddur-ops"] = in_turn({"cruddur-ops": wire}, alone)["cruddur-ops"]
        for name, one in figures.items():
            slowest[name] = one.median / 1000
            cases[name]()
            ratio = "" if name == "cruddur-ops" else f"{one.median / beside:.0f}"
            rows.append([name, count, *one.cells(), ratio, beyond(file, out[name], count)])
        rows += left_out
        if count == 1000:
            bar("plan, prove and apply for 1,000 services", 50, figures["cruddur-ops"].median, "ms")
        if count == 1000 and "ruamel.yaml" in figures:
            bar("the same, as a share of ruamel.yaml's time", 100 / 30, beside / figures["ruamel.yaml"].median * 100, "%")
    # In turn: between the two above the machine has had minutes to change its pace.
    both = in_turn({count: wires[count] for count in (1000, 10000)}, 9)
    bar("10,000 services, as a share of ten times 1,000", 100, both[10000].median / both[1000].median * 10, "%")
    heads = ["", "services", "median ms", "least ms", "processor ms", "times ours", "lines changed beyond the plan"]
    table("One variable more for each service", heads, rows)


def beyond(before, after, planned):
    """Lines of `before` that did not survive, and new ones that nobody asked for."""
    counted = subprocess.run(
        ["git", "diff", "--no-index", "--numstat", before, after], capture_output=True, text=True, cwd=WORK
    ).stdout.split()
    come, gone = (int(counted[0]), int(counted[1])) if counted else (0, 0)
    return gone + abs(come - gone - planned)


@contextlib.contextmanager
def receiver(round_trip):
    file = WORK / "port"
    file.unlink(missing_ok=True)
    process = subprocess.Popen([sys.executable, HERE / "peers/receiver.py", file, str(round_trip)])
    try:
        while not (file.exists() and file.read_text()):
            time.sleep(0.01)
        yield f"http://127.0.0.1:{file.read_text()}"
    finally:
        process.terminate()
        process.wait()


def project(count, endpoint, headers):
    folder = WORK / f"verify-{count}-{len(headers)}"
    folder.mkdir(exist_ok=True)
    service = "  svc-{0}:\n    image: registry.example/svc\n    environment:\n      OTEL_SERVICE_NAME: svc-{0}\n"
    service += "      OTEL_EXPORTER_OTLP_ENDPOINT: {1}\n      OTEL_EXPORTER_OTLP_HEADERS: {2}\n"
    services = "".join(service.format(at, endpoint, headers) for at in range(count))
    (folder / "compose.yml").write_text("services:\n" + services)
    return folder


TEAM = "x-honeycomb-team=${HONEYCOMB_API_KEY}"
BODY = (
    '{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"bench"}}]},"scopeSpans":'
    '[{"spans":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":"test","kind":1,'
    '"startTimeUnixNano":"1795434577140292389","endTimeUnixNano":"1795434577140292389"}]}]}]}'
)


def verify_one():
    (WORK / "body.json").write_text(BODY)
    with receiver(0) as endpoint:
        sdk = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_SERVICE_NAME": "bench"}
        post = ["curl", "-fsS", "-H", "content-type: application/json", "-d", f"@{WORK}/body.json", f"{endpoint}/v1/traces"]
        plain, team = project(1, endpoint, "x-key=some"), project(1, endpoint, TEAM)
        figures = in_turn(
            {
                "curl, body from a file": lambda: once(post),
                "bash and curl, body of its own": lambda: once([HERE / "peers/send.sh"], environment=sdk),
                "Python SDK": lambda: once([PYTHON, HERE / "peers/send.py"], environment=sdk),
                "`verify`": lambda: once([PROGRAM, "-C", plain, "verify"]),
                "`verify`, and whose the key is": lambda: once([PROGRAM, "-C", team, "verify"]),
            },
            40,
        )
    curl = figures["curl, body from a file"].median
    rows = [[name, *one.cells(), f"{one.median / curl:.2f}"] for name, one in figures.items()]
    table("One span, and known to be accepted", ["", "median ms", "least ms", "processor ms", "times curl"], rows)
    bar("`verify`, one service", 1, figures["`verify`, and whose the key is"].median / curl, "times curl")


def verify_many():
    round_trip, counts = 50, (1, 10, 100)
    with receiver(round_trip) as endpoint:
        post = ["curl", "-fsS", "-H", "content-type: application/json", "-d", f"@{WORK}/body.json", f"{endpoint}/v1/traces"]
        cases = {"curl, one span": lambda: once(post)}
        for count in counts:
            folder = project(count, endpoint, TEAM)
            cases[f"`verify`, {count} services"] = lambda folder=folder: once([PROGRAM, "-C", folder, "verify"])
        figures = in_turn(cases, 15)
    one, many = (figures[f"`verify`, {count} services"].median for count in (1, 100))
    rows = [[name, *taken.cells(), f"{(taken.median - one) / round_trip:+.1f}"] for name, taken in figures.items()]
    heads = ["", "median ms", "least ms", "processor ms", "round trips more than one service"]
    table(f"`verify` over a line of {round_trip} ms", heads, rows)
    bar("`verify`, 100 services more than one", 2, (many - one) / round_trip, "round trips")


def doctor():
    names = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
    folders = sorted({file.parent for name in names for file in CORPUS.rglob(name)})
    taken = {folder: min(once([PROGRAM, "-C", folder, "doctor"], (0, 1, 2))[0] for _ in range(2)) * 1000 for folder in folders}
    total, slowest = sum(taken.values()), max(taken, key=taken.get)
    row = [len(folders), f"{total:.0f}", f"{statistics.median(taken.values()):.1f}", f"{taken[slowest]:.1f}"]
    table("`doctor` over a corpus", ["projects", "all, ms", "median ms", "slowest ms"], [row])
    bar("`doctor`, the slowest project of the corpus", 30, taken[slowest], "ms")


def waiting():
    """What waits for programs and services that are slow, or never answer."""
    gp = WORK / "gp"
    gp.mkdir()
    (gp / "gp").write_text("#!/bin/sh\nsleep 2\n")
    (gp / "gp").chmod(0o755)
    sample = WORK / "sample-gp"
    gitpod = {"PATH": f"{gp}:{ENVIRONMENT['PATH']}", "GITPOD_WORKSPACE_ID": "bench", "GITPOD_REPO_ROOT": str(sample)}
    init = [PROGRAM, "-C", sample, "init", "--yes", "--no-verify"]
    bus = WORK / "bus"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(bus))
        listening.listen()
        hanging = {"DBUS_SESSION_BUS_ADDRESS": f"unix:path={bus}", "HONEYCOMB_API_KEY": ""}
        status = [PROGRAM, "-C", HERE.parent / "examples/cruddur", "key", "status", "--variable", "BENCH_KEY"]

        def wire():
            shutil.rmtree(sample, ignore_errors=True)
            shutil.copytree(HERE.parent / "examples/cruddur", sample)
            return once(init, environment=gitpod)

        cases = {
            "`init`, the sample, a `gp` of 2 s a call": wire,
            "`key status`, a D-Bus that never answers": lambda: once(status, (0, 1), hanging),
        }
        figures = in_turn(cases, 3, warm=False)
    table("Waiting for others", ["", "median ms", "least ms", "processor ms"], [[name, *one.cells()] for name, one in figures.items()])
    for (name, one), limit in zip(figures.items(), (2500, 5100)):
        bar(name, limit, one.median, "ms")


@contextlib.contextmanager
def listening(command, port):
    """A server that takes connections on `port` of this machine."""
    process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=ENVIRONMENT, cwd=WORK)
    try:
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            if process.poll() is not None:
                raise SystemExit(f"{command} does not listen")
            time.sleep(0.01)
        yield process
    finally:
        process.terminate()
        process.wait()


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def listen():
    """Many spans from real senders to `listen` and to rotel, which drops them."""
    rotel = next(TOOLS.glob("python/lib/*/site-packages/rotel/rotel-agent"))
    ports = {name: (free_port(), free_port()) for name in ("rotel", "listen")}
    http, grpc = ports["rotel"]
    theirs = [rotel, "start", "--otlp-http-endpoint", f"127.0.0.1:{http}", "--otlp-grpc-endpoint", f"127.0.0.1:{grpc}"]
    http, grpc = ports["listen"]
    ours = [PROGRAM, "listen", "--http-port", http, "--grpc-port", grpc]
    node = TOOLS.parent / "node-sdk"

    def send(command, server):
        http, grpc = ports[server]
        sdk = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{http}", "NODE_PATH": str(node / "node_modules")}
        command = [str(word).replace("GRPC", f"127.0.0.1:{grpc}") for word in command]
        started, output = time.perf_counter(), subprocess.run(command, env=ENVIRONMENT | sdk, capture_output=True, text=True, check=True)
        seconds = float(output.stdout) if "peers" in "".join(command) else time.perf_counter() - started
        return seconds, 0

    generator = [TOOLS / "go/telemetrygen", "traces", "--otlp-insecure", "--otlp-endpoint", "GRPC", "--rate", "0", "--traces", "5000", "--workers", "1"]
    senders = {
        "Python SDK": [PYTHON, HERE / "peers/send_many.py"],
        "Node.js SDK": [shutil.which("node"), HERE / "peers/send_many.js"],
        "telemetrygen (Go), gRPC": generator,
    }
    rows = []
    with listening([*theirs, "--exporter", "blackhole"], ports["rotel"][0]) as first, listening(ours, ports["listen"][0]) as second:
        for name, command in senders.items():
            if not command[0] or not pathlib.Path(command[0]).exists():
                rows.append([name, "not here", "", "", "", ""])
                continue
            before = [processor(one) for one in (first, second)]
            figures = in_turn({server: lambda server=server: send(command, server) for server in ports}, 9)
            spent = [processor(one) - was for one, was in zip((first, second), before)]
            ratio = figures["listen"].median / figures["rotel"].median
            rows.append([name, *(f"{figures[server].median:.0f}" for server in ports), f"{ratio:.2f}", *(f"{one * 100:.0f}" for one in spent)])
            bar(f"`listen`, {name}", 1.1, ratio, "times rotel")
    table("Many spans, until the sender is done", ["", "rotel ms", "`listen` ms", "times rotel", "rotel processor ms", "`listen` processor ms"], rows)


def processor(process):
    """Seconds of processor time that a running process took, over ten runs."""
    fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory():
    sample = WORK / "sample"
    shutil.copytree(HERE.parent / "examples/cruddur", sample)
    rows = []
    projects = {"the sample": sample, **{f"{count} services": WORK / f"project-{count}" for count in (1000, 10000)}}
    for name, folder in projects.items():
        if name != "the sample":
            (folder / "compose.yml").write_text(compose_file(int(name.split()[0])))
        command = [PROGRAM, "-C", folder, "init", "--yes", "--no-verify", "--store", "none"]
        command += [] if name == "the sample" else ["--all-services"]
        report = WORK / "memory"
        once(["/usr/bin/time", "-f", "%M", "-o", report, *command])
        rows.append([name, f"{int(report.read_text()) / 1000:.1f}"])
        if name == "the sample":
            bar("peak memory of `init`, the sample", 10, float(rows[-1][1]), "MB")
    table("Peak memory of `init`", ["", "MB"], rows)


def main():
    BIN.mkdir()
    for name in ["bash", "cp", "curl", "date", "env", "git", "grep", "jq", "od", "sh", "sleep", "tr", "true"]:
        (BIN / name).symlink_to(shutil.which(name))
    print(f"`{PROGRAM}`, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f} at the start")
    steps = [start_up, edit, verify_one, verify_many, waiting, listen, memory] + ([doctor] if CORPUS else [])
    for step in steps:
        step()
    bar("the program itself", 11, os.path.getsize(PROGRAM) / 1e6, "MB")
    table("Bars", ["", "at most", "seen", "met"], BARS)


try:
    main()
finally:
    shutil.rmtree(WORK)
