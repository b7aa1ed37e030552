"""The least that Flask can do: a constant JSON, no sign-in, no database."""

from flask import Flask, Response

from benchmarks.publisher import progress
from crmapp.wire import to_json

app = Flask(__name__)
BODY = to_json({"success": True, "data": progress("activation_1", "0" * 24, 1)})


@app.get("/ready")
def ready() -> dict[str, bool]:
    return {"ready": True}


@app.get("/progress")
def progress_() -> Response:
    return Response(BODY, mimetype="application/json")
