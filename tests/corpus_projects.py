"""What the checks of real compose files share: each file in a project of its own, the program run there, and the counts."""
import argparse
import contextlib
import os
import re
import subprocess
import tempfile

import yaml

SECRET = "hcaik_" + "0123456789abcdefghijklmnopqrstuvwxyz" * 2
PROGRAMS = [
    ("python:3.12-slim", "python main.py", {"requirements.txt": "fastapi\n", "main.py": "import fastapi\n"}),
    ("node:22-alpine", "node index.js", {"package.json": '{"dependencies": {"express": "4"}}\n', "index.js": "require('express')\n"}),
    ("python:3.12-alpine", "python manage.py runserver", {"requirements.txt": "django\n", "manage.py": "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'a.settings')\n"}),
    ("eclipse-temurin:21-jre", "java -jar app.jar", {"pom.xml": "<project/>\n"}),
    ("mcr.microsoft.com/dotnet/aspnet:8.0", "dotnet app.csproj", {"app.csproj": "<Project/>\n"}),
    ("php:8.3-cli", "php index.php", {"composer.json": "{}\n"}),
]


class Loader(yaml.SafeLoader):
    pass


Loader.add_multi_constructor("", lambda loader, tag, node: None)


def load(text):
    try:
        documents = list(yaml.load_all(text.decode("utf-8-sig"), Loader))
    except Exception:
        return None
    return documents[0] if len(documents) == 1 and isinstance(documents[0], dict) else None


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if not os.path.exists(path):
        with open(path, "w") as file:
            file.write(text)


def add_programs(project, document):
    """A Dockerfile and a manifest for each service that is built below the project."""
    services = document.get("services")
    for number, service in enumerate(services.values() if isinstance(services, dict) else []):
        build = service.get("build") if isinstance(service, dict) else None
        context = build.get("context", ".") if isinstance(build, dict) else build
        dockerfile = build.get("dockerfile", "Dockerfile") if isinstance(build, dict) else "Dockerfile"
        if not isinstance(context, str) or not isinstance(dockerfile, str) or "$" in context + dockerfile or ":" in context:
            continue
        folder = os.path.normpath(os.path.join(project, context))
        path = os.path.normpath(os.path.join(folder, dockerfile))
        if not (folder + "/").startswith(project + "/") or not path.startswith(project + "/"):
            continue
        base, command, files = PROGRAMS[number % len(PROGRAMS)]
        try:
            write(path, f"FROM {base}\nWORKDIR /srv\nCOPY . .\nCOPY {' '.join(files)} ./\nCMD {command}\n")
            for name, text in files.items():
                write(os.path.join(folder, name), text)
        except OSError:
            pass


def run(binary, folder, *args):
    home = os.path.join(folder, "home")
    os.makedirs(home, exist_ok=True)
    environment = {"PATH": os.environ["PATH"], "HOME": home, "HONEYCOMB_API_KEY": SECRET, "NO_COLOR": "1"}
    return subprocess.run([binary, *args, "-C", os.path.join(folder, "p")], capture_output=True, timeout=60, stdin=subprocess.DEVNULL, env=environment)


@contextlib.contextmanager
def project_of(path):
    """A temporary project around a compose file: the folder that holds it, the copy's path, and the file's bytes."""
    with open(path, "rb") as file:
        text = file.read()
    document = load(text)
    with tempfile.TemporaryDirectory() as folder:
        project = os.path.join(folder, "p")
        target = os.path.join(project, "docker-compose.yml")
        os.makedirs(project)
        with open(target, "wb") as file:
            file.write(text)
        if document:
            add_programs(project, document)
        yield folder, target, text


def read(path):
    with open(path, "rb") as file:
        return file.read()


def judge_files(options, judge, count):
    """Judges each compose file below the folder, prints the violations, and counts them and the files."""
    names = (os.path.join(root, name) for root, _, files in os.walk(options.folder) for name in files)
    files = sorted(name for name in names if re.search(r"compose[^/]*\.ya?ml$", name) and options.only in name)[: options.max]
    count.update(violations=0, files=len(files))
    for path in files:
        try:
            problems = judge(options, path, count)
        except subprocess.TimeoutExpired:
            problems = ["hung for 60 s"]
        if problems:
            count["violations"] += 1
            print(f"VIOLATION {path}")
            for problem in problems[:4]:
                print("   ", problem)
    print(count)


def arguments():
    """The parser of the arguments that every check takes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("binary", type=os.path.abspath)
    parser.add_argument("folder")
    parser.add_argument("--max", type=int, default=10**9)
    parser.add_argument("--only", default="")
    return parser
