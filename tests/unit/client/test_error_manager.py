"""Where the errors of single files are collected."""

import threading

from airflow_provider_lake.client import ErrorManager, UploadError


def test_nobody_reads_or_clears_while_another_adds() -> None:
    """Each of the three waits for whoever is at the errors."""
    errors = ErrorManager()
    for act in (lambda: errors.append(UploadError("a.jpg", "is empty")), errors.clear, lambda: errors.errors):
        thread = threading.Thread(target=act)
        with errors._lock:
            thread.start()
            thread.join(0.05)
            assert thread.is_alive()
        thread.join(10)
        assert not thread.is_alive()
