import os

import google.protobuf
import requests
from fastapi import FastAPI

app = FastAPI()


@app.get("/prices/{item}")
def price(item: int):
    return {"eur": item}


@app.get("/imported")
def imported():
    return {
        "protobuf": google.protobuf.__version__,
        "requests": requests.__version__,
        "own_sitecustomize_runs": os.environ.get("OWN_SITECUSTOMIZE_RUNS"),
    }
