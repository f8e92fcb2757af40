"""What conversations cost: sums, and series by day (UTC)."""

from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from fastapi import APIRouter, Depends

from app.service import Running, Session, authorised

router = APIRouter(prefix="/api/dashboard", dependencies=[Depends(authorised)])

OF_SESSION = "(:session IS NULL OR session_id = :session)"
SUMMARY = {
    "messages": f"""COUNT(*) AS total, COUNT(DISTINCT session_id) AS sessions
        FROM messages WHERE {OF_SESSION}""",
    "costs": f"""COUNT(*) AS total, ROUND(TOTAL(usd), 6) AS total_usd,
        ROUND(COALESCE(AVG(usd), 0), 6) AS average_usd FROM costs WHERE {OF_SESSION}""",
    "tokens": f"""COALESCE(SUM(input_tokens), 0) AS input, COALESCE(SUM(output_tokens), 0) AS output
        FROM costs WHERE {OF_SESSION}""",
}
SERIES = {
    "activity": "COUNT(*) AS messages FROM messages",
    "costs": "ROUND(SUM(usd), 6) AS usd FROM costs",
    "tokens": "SUM(input_tokens) AS input, SUM(output_tokens) AS output FROM costs",
}
EMPTY_DAY = {"activity": {"messages": 0}, "costs": {"usd": 0}, "tokens": {"input": 0, "output": 0}}
DAYS = {"7d": 7, "30d": 30, "90d": 90, "1y": 365}


@router.get("/costs/summary")
def summary(service: Running, session: Session = None) -> dict[str, dict[str, Any]]:
    rows = service.settings.database.rows
    return {part: rows(f"SELECT {query}", session=session)[0] for part, query in SUMMARY.items()}


@router.get("/timeline/{series}")
def timeline(
    series: Literal["activity", "costs", "tokens"],
    service: Running,
    period: Literal["7d", "30d", "90d", "1y"] = "30d",
    session: Session = None,
) -> list[dict[str, Any]]:
    """One entry for each day, today and so many days before it, also where nothing happened."""
    today = datetime.now(UTC).date()
    days = [f"{today - timedelta(n)}" for n in range(DAYS[period], -1, -1)]
    query = f"""SELECT date(created_at) AS date, {SERIES[series]}
        WHERE created_at >= :since AND {OF_SESSION} GROUP BY 1"""
    rows = service.settings.database.rows(query, since=days[0], session=session)
    happened = {row["date"]: row for row in rows}
    return [happened.get(day, {"date": day, **EMPTY_DAY[series]}) for day in days]
