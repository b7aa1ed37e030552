"""sse-starlette with redis.asyncio, a subscription for each reader."""

import json
import os
from collections.abc import AsyncIterator

from fastapi import FastAPI
from redis.asyncio import Redis
from sse_starlette import EventSourceResponse, ServerSentEvent

app = FastAPI()
# By default redis.asyncio allows 100 connections.
redis = Redis.from_url(os.environ["REDIS_URL"], max_connections=10_000)


@app.get("/ready")
async def ready() -> dict[str, bool]:
    return {"ready": True}


@app.get("/stream")
async def stream(channel: str) -> EventSourceResponse:
    async def events() -> AsyncIterator[ServerSentEvent]:
        async with redis.pubsub() as pubsub:
            await pubsub.subscribe(channel)
            async for message in pubsub.listen():
                if message["type"] == "message":
                    yield ServerSentEvent(**json.loads(message["data"]))

    return EventSourceResponse(events())
