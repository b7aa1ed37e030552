"""FastAPI with pymongo's asynchronous client: the same document by the same id, no sign-in."""

import os
from typing import Annotated, Any

from fastapi import FastAPI, Header, HTTPException, Response
from pymongo import AsyncMongoClient

app = FastAPI()
database = AsyncMongoClient[dict[str, Any]](os.environ["MONGODB_URI"]).get_default_database()


@app.get("/ready")
async def ready() -> dict[str, bool]:
    return {"ready": True}


@app.get("/progress/{session_id}")
async def progress(
    session_id: str, response: Response, if_none_match: Annotated[str | None, Header()] = None
) -> Any:
    found = await database.activation_progress.find_one({"sessionId": session_id}, {"_id": 0})
    if found is None:
        raise HTTPException(404)
    etag = f'"{found["rev"]}"'
    if if_none_match == etag:
        return Response(status_code=304, headers={"ETag": etag})
    response.headers["ETag"] = etag
    return {"success": True, "data": {**found, "userId": str(found["userId"])}}
