# Starts OpenTelemetry's agent behind the application: its packages are found last, and if it fails the application runs untraced.
import os
import sys

here = os.path.dirname(os.path.abspath(__file__))
home = os.path.dirname(here)
sys.path[:] = [folder for folder in sys.path if os.path.abspath(folder) != here]
this, error, lines = sys.modules.pop("sitecustomize"), None, []
try:
    import sitecustomize  # the one that Python finds without this one: the image's, the application's
except Exception as failure:
    if not isinstance(failure, ImportError) or "'sitecustomize'" not in str(failure):
        error = failure
sys.modules.setdefault("sitecustomize", this)
sys.path.append(home)
if os.environ.get("OTEL_LOGS_EXPORTER") == "none":
    # A log handler that sends nothing would still make the application's logging.basicConfig() do nothing.
    os.environ.setdefault("OTEL_PYTHON_LOG_AUTO_INSTRUMENTATION", "false")
try:
    import logging

    class Skipped(logging.Handler):
        def emit(self, record):
            text = record.getMessage()
            found = text.split('but found: "')[1:]
            if record.levelno >= logging.WARNING or found and found[0] not in ('None"', '[]"'):
                lines.append(text)

    log, handler = logging.getLogger("opentelemetry.instrumentation.auto_instrumentation"), Skipped()
    level, log.propagate = log.level, False
    log.setLevel(logging.DEBUG)
    log.addHandler(handler)
    try:
        from opentelemetry.instrumentation.auto_instrumentation import initialize

        initialize(swallow_exceptions=False)
    finally:
        log.removeHandler(handler)
        log.propagate = True
        log.setLevel(level)
except Exception as failure:
    sys.path.remove(home)
    lines = ["this process is not traced: %s: %s" % (type(failure).__name__, failure)]
for line in lines if sys.stderr else []:
    sys.stderr.write("opentelemetry agent: " + line.split("\n")[0] + "\n")
if error:
    raise error
