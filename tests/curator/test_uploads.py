"""Uploads wait until a person has looked at them, and no longer than a day."""

import gzip
import io
import os
import zipfile
from datetime import timedelta

import pytest
from django.utils import timezone

from common.core.refusal import Refusal
from common.jobs import JobState
from curator import tasks
from curator.models import Import
from curator.services import imports, pools, uploads


@pytest.fixture
def by(make_user):
    return make_user()


@pytest.fixture
def keep(make_pool, by):
    """Return what keeps an upload for a pool."""
    pool = make_pool()

    def keep(content, name="bank.csv", into=pool):
        return uploads.keep(pool=into, content=io.BytesIO(content), file_name=name, by=by)

    keep.pool = pool
    return keep


def packed(members):
    """Return a zip archive of texts by the names of their files."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return content.getvalue()


def test_a_kept_upload_is_found_by_its_token(keep, by):
    (kept,) = keep(b"question\n1?\n")

    found = uploads.find(pool=keep.pool, token=kept.token, by=by)

    assert found == kept
    assert found.path.read_bytes() == b"question\n1?\n"


def test_uploads_wait_in_the_order_in_which_they_came(keep, by, make_user, make_pool):
    first, second = keep(b"1", "b.csv")[0], keep(b"2", "a.csv")[0]
    keep(b"3", "elsewhere.csv", into=make_pool())

    assert uploads.waiting(pool=keep.pool, by=by) == [first, second]
    assert uploads.waiting(pool=keep.pool, by=make_user()) == []


def test_an_upload_is_gone_once_it_is_dropped(keep, by):
    (kept,) = keep(b"1")

    uploads.drop(upload=kept)

    assert uploads.waiting(pool=keep.pool, by=by) == []
    with pytest.raises(Refusal, match="not there any more"):
        uploads.find(pool=keep.pool, token=kept.token, by=by)


def test_an_upload_that_is_set_aside_does_not_wait_and_is_found(keep, by):
    (kept,), (other,) = keep(b"1", "a.csv"), keep(b"2", "b.csv")

    uploads.set_aside(upload=kept)

    assert uploads.waiting(pool=keep.pool, by=by) == [other]
    assert uploads.find(pool=keep.pool, token=kept.token, by=by).path == kept.path


@pytest.mark.parametrize("token", ["", "nonsense", "../../etc/passwd"])
def test_a_made_up_token_finds_nothing(keep, by, token):
    with pytest.raises(Refusal, match="not there any more"):
        uploads.find(pool=keep.pool, token=token, by=by)


def test_an_archive_of_several_tables_becomes_an_upload_for_each(keep):
    kept = keep(
        packed({"a.csv": "question\n1?\n", "sub/题.csv": "题目\n2?\n", "__MACOSX/x.csv": "no"}), "all.zip"
    )

    assert [(each.file_name, each.path.read_text()) for each in kept] == [
        ("a.csv", "question\n1?\n"),
        ("题.csv", "题目\n2?\n"),
    ]


def test_an_archive_of_one_table_and_a_workbook_stay_as_they_are(keep):
    archive = packed({"a.csv": "question\n1?\n"})
    workbook = io.BytesIO()
    with zipfile.ZipFile(workbook, "w") as made:
        made.writestr("[Content_Types].xml", "<x/>")
        made.writestr("xl/workbook.xml", "<x/>")

    assert [each.path.read_bytes() for each in keep(archive, "one.zip")] == [archive]
    assert [each.file_name for each in keep(workbook.getvalue(), "book.xlsx")] == ["book.xlsx"]


def test_a_path_out_of_an_archive_is_refused(keep, settings):
    with pytest.raises(Refusal, match="points outside it"):
        keep(packed({"../../outside.csv": "1", "b.csv": "2"}), "sly.zip")

    assert list((settings.MEDIA_ROOT / "previews").iterdir()) == []


def bomb():
    return packed({"a.csv": "0" * 3000, "b.csv": "0" * 3000})


def broken_inside():
    content = bytearray(packed({"a.csv": "question\n" * 99, "b.csv": "1"}))
    content[40:60] = b"\xff" * 20
    return bytes(content)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (bomb, r"bank\.zip is larger than 4000 bytes; split it\."),
        (broken_inside, r"bank\.zip.* is a damaged packed file"),
    ],
)
def test_an_archive_that_cannot_be_unpacked_leaves_nothing(keep, settings, make, sentence):
    settings.MAX_UPLOAD_BYTES = 4000

    with pytest.raises(Refusal, match=sentence):
        keep(make(), "bank.zip")

    assert list((settings.MEDIA_ROOT / "previews").iterdir()) == []


def test_a_packed_text_is_kept_packed(keep):
    content = gzip.compress(b"question\n1?\n", mtime=0)

    assert keep(content, "bank.csv.gz")[0].path.read_bytes() == content


def test_what_nobody_reads_in_is_forgotten_after_a_day(keep, by):
    (old,), (young,) = keep(b"1", "old.csv"), keep(b"2", "young.csv")
    for path in (old.path, old.path.with_suffix(".json")):
        os.utime(path, (0, 0))

    removed = uploads.forget_old(now=timezone.now())

    assert removed == 2
    assert uploads.waiting(pool=keep.pool, by=by) == [young]


@pytest.mark.parametrize(
    ("state", "days", "stays"),
    [("failed", 6, True), ("failed", 8, False), ("cancelled", 8, False), ("queued", 8, True)],
)
def test_the_file_of_a_failed_import_is_kept_for_a_week(make_pool, tmp_path, state, days, stays):
    path = tmp_path / "kept"
    path.write_text("x")
    ended = None if state == "queued" else timezone.now() - timedelta(days=days)
    Import.objects.create(
        pool=make_pool(),
        file_name="f",
        file_path=str(path),
        file_hash="h",
        state=JobState(state),
        finished_at=ended,
        failure="no" if state == "failed" else "",
    )

    uploads.forget_old(now=timezone.now())

    assert (path.exists(), bool(Import.objects.get().file_path)) == (stays, stays)


def test_a_refused_file_leaves_one_line_in_the_log_and_no_traceback(make_pool, caplog, monkeypatch):
    monkeypatch.setattr(tasks.write_words, "delay", lambda: None)
    cut_off = gzip.compress(bytes(range(256)) * 40)[:-9]
    job = pools.start_import(
        pool=make_pool(), content=io.BytesIO(cut_off), file_name="a.csv.gz", mapping=None, by=None
    )

    tasks.run_import(job_id=job.pk)

    (line,) = [record for record in caplog.records if record.levelname in ("WARNING", "ERROR")]
    assert (line.levelname, line.exc_info) == ("WARNING", None)
    assert f"Import {job.pk} failed: a.csv.gz ends in the middle of its packed data" in line.getMessage()


def test_an_import_whose_file_was_forgotten_says_so(make_pool, read_in):
    with pytest.raises(Refusal):
        read_in(make_pool(), "a,b\n1,2\n")
    job = Import.objects.get()
    uploads.forget_old(now=timezone.now() + timedelta(days=8))
    job.refresh_from_db()
    job.requeue(now=timezone.now())

    with pytest.raises(Refusal, match=r"bank\.csv is not kept any more; choose the file again\."):
        imports.run_import(job=job)
