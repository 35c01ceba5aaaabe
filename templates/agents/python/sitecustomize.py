# Starts OpenTelemetry's agent. Its packages come last in sys.path, and if it fails the application runs untraced.
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


def tell(line):
    if sys.stderr:
        sys.stderr.write("opentelemetry agent: " + line.split("\n")[0] + "\n")


def instrument_django(module):
    # Only here are the application's settings known; earlier, the agent would set empty ones.
    handler, load = module.BaseHandler, module.BaseHandler.load_middleware

    def load_middleware(*args, **options):
        handler.load_middleware = load
        try:
            from opentelemetry.instrumentation.django import DjangoInstrumentor

            DjangoInstrumentor().instrument()
        except Exception as failure:
            tell("Django is not traced: %s: %s" % (type(failure).__name__, failure))
        return load(*args, **options)

    handler.load_middleware = load_middleware


try:
    import logging

    class Skipped(logging.Handler):
        def emit(self, record):
            found = record.getMessage().split('but found: "')[1:]
            if record.levelno >= logging.WARNING or found and found[0] not in ('None"', '[]"'):
                lines.append(record.getMessage())

    log, handler = logging.getLogger("opentelemetry.instrumentation.auto_instrumentation"), Skipped()
    level, log.propagate = log.level, False
    log.setLevel(logging.DEBUG)
    log.addHandler(handler)
    disabled = os.environ.get("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "")
    os.environ["OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"] = disabled + ",django"
    if os.environ.get("OTEL_LOGS_EXPORTER") == "none":
        # Without this the agent adds a log handler that sends nothing.
        os.environ.setdefault("OTEL_PYTHON_LOG_AUTO_INSTRUMENTATION", "false")
    try:
        from opentelemetry.instrumentation.auto_instrumentation import initialize
        from wrapt import register_post_import_hook

        initialize(swallow_exceptions=False)
        if not {"*", "django"} & set(disabled.replace(" ", "").split(",")):
            register_post_import_hook(instrument_django, "django.core.handlers.base")
    finally:
        os.environ["OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"] = disabled
        log.removeHandler(handler)
        log.propagate = True
        log.setLevel(level)
except Exception as failure:
    sys.path.remove(home)
    lines = ["this process is not traced: %s: %s" % (type(failure).__name__, failure)]
for line in lines:
    tell(line)
if error:
    raise error
