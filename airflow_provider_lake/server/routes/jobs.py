"""Jobs: their state, reports, logs and end."""

from fastapi import APIRouter

router = APIRouter()
