"""Processings: programs that work on data, and their launch."""

from fastapi import APIRouter

router = APIRouter()
