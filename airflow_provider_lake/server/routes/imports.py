"""Imports: bring objects that already lie in the bucket into a datalake."""

from fastapi import APIRouter

router = APIRouter()
