import os

os.environ["OWN_SITECUSTOMIZE_RUNS"] = os.environ.get("OWN_SITECUSTOMIZE_RUNS", "") + "%d " % os.getpid()
