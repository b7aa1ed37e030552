"""flask-sse as its documentation has it."""

import os

from flask import Flask
from flask_sse import sse

app = Flask(__name__)
app.config["REDIS_URL"] = os.environ["REDIS_URL"]
app.register_blueprint(sse, url_prefix="/stream")


@app.get("/ready")
def ready() -> dict[str, bool]:
    return {"ready": True}
