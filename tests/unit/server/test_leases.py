"""Leases: who may run a job, and what becomes of it when its runner dies."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from airflow_provider_lake.server.store.database import Database
from airflow_provider_lake.server.store.queries import jobs, projections
from airflow_provider_lake.server.store.states import JobKind, JobStatus
from airflow_provider_lake.server.store.tables import Base, Data, Datalake, Job, Organization, utc_now

LEASE = timedelta(seconds=30)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """Make a database with one datalake."""
    database = Database(f"sqlite:///{tmp_path / 'lake.db'}")
    Base.metadata.create_all(database.engine)
    with database.writing() as session:
        organization = Organization(name="org")
        session.add(organization)
        session.flush()
        session.add(Datalake(organization_id=organization.id, name="lake"))
    yield database
    database.close()


def _create(database: Database, kind: JobKind = JobKind.IMPORT) -> UUID:
    with database.writing() as session:
        datalake = session.query(Datalake).one()
        return jobs.create(session, datalake.id, kind, {}).id


def _claim(database: Database, owner: UUID, lease: timedelta = LEASE) -> UUID | None:
    with database.writing() as session:
        job = jobs.claim(session, owner, utc_now() + lease)
    return job.id if job else None


def _job(database: Database, job_id: UUID) -> Job:
    with database.reading() as session:
        return session.get_one(Job, job_id)


def test_a_job_is_claimed_once(database: Database) -> None:
    """However many runners ask at the same time; the oldest job goes first."""
    created = [_create(database) for _ in range(20)]

    with ThreadPoolExecutor(4) as pool:
        claimed = list(pool.map(lambda _: _claim(database, uuid4()), range(25)))

    assert sorted(filter(None, claimed)) == sorted(created)
    assert claimed.count(None) == 5


def test_a_lease_that_ran_out_frees_an_import(database: Database) -> None:
    """It goes back into the queue; one whose lease was renewed does not, and neither does one that just began."""
    owner = uuid4()
    lost, renewed, fresh = (_create(database) for _ in range(3))
    _claim(database, owner, -LEASE)
    _claim(database, owner, -LEASE)
    _claim(database, owner)

    with database.writing() as session:
        jobs.renew_leases(session, [renewed], owner, utc_now() + LEASE)
        recovered = jobs.recover(session, utc_now())

    assert recovered == 1
    assert [_job(database, each).status for each in (lost, renewed, fresh)] == ["PENDING", "RUNNING", "RUNNING"]


@pytest.mark.parametrize(("heard", "status"), [(False, "PENDING"), (True, "FAILED")])
def test_a_lost_processing_is_repeated_only_if_it_was_never_heard_of(
    database: Database, heard: bool, status: str
) -> None:
    """Nobody knows what the other one did; its job says so."""
    job_id = _create(database, JobKind.PROCESSING)
    _claim(database, uuid4())
    with database.writing() as session:
        if heard:
            jobs.record_activity(session, job_id)
        jobs.recover(session, None)

    job = _job(database, job_id)

    assert (job.status, job.error) == (status, "the lake ended while the processing ran" if heard else None)


def test_a_clock_that_jumps_ahead_takes_no_job_from_its_runner(database: Database) -> None:
    """A runner renews its leases before any are judged, however late it has become meanwhile."""
    owner, later = uuid4(), utc_now() + timedelta(hours=2)
    job_id = _create(database)
    _claim(database, owner)

    with database.writing() as session:
        jobs.renew_leases(session, [job_id], owner, later + LEASE)
        recovered = jobs.recover(session, later, 2 * LEASE)

    assert (recovered, _job(database, job_id).status) == (0, "RUNNING")


def test_a_clock_that_was_set_back_does_not_keep_a_lost_job(database: Database) -> None:
    """A lease that a dead runner took when it was two hours later ends further ahead than any lease can."""
    job_id = _create(database)
    _claim(database, uuid4(), timedelta(hours=2))

    with database.writing() as session:
        recovered = jobs.recover(session, utc_now(), 2 * LEASE)

    assert (recovered, _job(database, job_id).status) == (1, "PENDING")


def test_an_import_that_comes_further_is_not_given_up(database: Database) -> None:
    """However often the lake ends meanwhile: only attempts in which nothing was recorded count."""
    job_id, owner = _create(database), uuid4()
    for _ in range(3 * jobs.MAX_ATTEMPTS):
        _claim(database, owner)
        with database.writing() as session:
            jobs.save_progress(session, job_id, {"total": 1})
        with database.writing() as session:
            jobs.recover(session, None)

    assert _job(database, job_id).status == "PENDING"


@pytest.mark.parametrize(("created", "found"), [(timedelta(hours=2), True), (timedelta(0), False)])
def test_thumbnails_are_made_when_the_clock_was_set_back(database: Database, created: timedelta, found: bool) -> None:
    """Data that came in later than now do not count as coming in just now, which thumbnails wait for to end."""
    with database.writing() as session:
        datalake = session.query(Datalake).one()
        given = {"object_name": "a", "filename": "a", "type": "IMAGE", "content_type": "image/jpeg"}
        data = Data(datalake_id=datalake.id, created_at=utc_now() + created, thumbnail_due=True, **given)
        session.add(data)

    with database.reading() as session:
        assert (projections.find_without_thumbnail(session, timedelta(minutes=5)) is not None) is found


def test_a_job_that_takes_the_lake_down_is_given_up(database: Database) -> None:
    """After ten attempts; stops in good order do not count."""
    job_id, owner = _create(database), uuid4()
    _claim(database, owner)
    with database.writing() as session:
        jobs.release(session, job_id, owner, JobStatus.PENDING, None)
    statuses = []
    for _ in range(jobs.MAX_ATTEMPTS):
        _claim(database, owner)
        with database.writing() as session:
            jobs.recover(session, None)
        statuses.append(str(_job(database, job_id).status))

    assert statuses == ["PENDING"] * 9 + ["FAILED"]
    assert "given up after 10 attempts" in (_job(database, job_id).error or "")


def test_a_runner_that_lost_its_job_changes_nothing_any_more(database: Database) -> None:
    """Neither by its outcome nor by renewing; it is told to stop."""
    job_id, former, present = _create(database), uuid4(), uuid4()
    _claim(database, former, -LEASE)
    with database.writing() as session:
        jobs.recover(session, utc_now())
    _claim(database, present)

    with database.writing() as session:
        jobs.release(session, job_id, former, JobStatus.FAILED, "late")
        jobs.renew_leases(session, [job_id], former, utc_now() + 9 * LEASE)
        to_stop = jobs.find_stopped(session, [job_id], former, utc_now())
        held = [jobs.holds_lease(session, job_id, owner) for owner in (former, present)]

    job = _job(database, job_id)
    assert (job.status, job.error, job.lease_owner) == ("RUNNING", None, present)
    assert (to_stop, held) == ({job_id}, [False, True])


def test_a_kill_stands_whatever_the_program_comes_to(database: Database) -> None:
    """The outcome of the interrupted work comes after it."""
    job_id, owner = _create(database), uuid4()
    _claim(database, owner)
    with database.writing() as session:
        jobs.set_status(session.get_one(Job, job_id), JobStatus.KILLED)
    with database.writing() as session:
        to_stop = jobs.find_stopped(session, [job_id], owner, utc_now() - LEASE)
        jobs.release(session, job_id, owner, JobStatus.PENDING, None)

    job = _job(database, job_id)
    assert (job.status, job.lease_owner, to_stop) == ("KILLED", None, {job_id})
