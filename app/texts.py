"""Texts that callers bring: to analyse, to keep, and to be forgotten."""

from asyncio import wrap_future
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, UploadFile

from app.service import Running, Session, authorised

router = APIRouter(prefix="/api", dependencies=[Depends(authorised)])

UPLOAD = "INSERT INTO documents (name, text) VALUES (?, ?)"
DOCUMENTS = "SELECT id, name, length(text) AS characters, created_at FROM documents ORDER BY id"
Text = Annotated[str, Body(embed=True, min_length=1, max_length=100_000)]


@router.post("/memory/analyze")
async def analyze(text: Text, service: Running, session: Session = None) -> dict[str, Any]:
    memory, outcomes = service.memory, service.metrics.analyses
    fingerprint = memory.fingerprint(text)
    if memory.knows(fingerprint):
        outcomes.labels("skipped").inc()
        return {"status": "skipped", "reason": "cache", "id": fingerprint}
    with outcomes.labels("failed").count_exceptions():
        job = service.queue.submit(lambda: memory.analyze(text, session or "api"))
        found = await wrap_future(job)
    memory.keep(fingerprint)
    outcomes.labels("completed").inc()
    return {"status": "completed", "id": fingerprint, **found}


@router.delete("/memory")
def clear(service: Running) -> dict[str, Any]:
    return {"status": "cleared", **service.memory.clear()}


@router.post("/documents", status_code=201)
def upload(file: UploadFile, service: Running, session: Session = None) -> dict[str, Any]:
    """Keep the document, and analyse it after the answer."""
    text = file.file.read().decode(errors="replace")
    with service.settings.database.transaction() as connection:
        kept = connection.execute(UPLOAD, (file.filename, text))
    service.metrics.documents.inc()
    service.queue.submit(lambda: service.memory.analyze(text, session or "api"))
    return {"id": kept.lastrowid, "name": file.filename, "characters": len(text)}


@router.get("/documents")
def documents(service: Running) -> dict[str, Any]:
    return {"documents": service.settings.database.rows(DOCUMENTS)}
