"""Paths of curation, and their names."""

from django.urls import path

from curator.views import benchmarks, datasets, imports, pools, questions, reviews, selections, teachers

urlpatterns = [
    path("projects/<slug:slug>/pools/", pools.pools, name="pools"),
    path("pools/<int:pk>/", pools.pool, name="pool"),
    path("pools/<int:pk>/upload/", imports.upload, name="upload"),
    path("pools/<int:pk>/upload/<str:token>/", imports.upload_preview, name="upload_preview"),
    path("imports/<int:pk>/", imports.import_, name="import"),
    path("imports/<int:pk>/report.csv", imports.import_report, name="import_report"),
    path("imports/<int:pk>/cancel/", imports.import_cancel, name="import_cancel"),
    path("imports/<int:pk>/retry/", imports.import_retry, name="import_retry"),
    path("imports/<int:pk>/undo/", imports.import_undo, name="import_undo"),
    path("projects/<slug:slug>/questions/", questions.questions, name="questions"),
    path("questions/<int:pk>/", questions.question, name="question"),
    path("questions/<int:pk>/key/", questions.question_key, name="question_key"),
    path("questions/<int:pk>/standing/", questions.question_standing, name="question_standing"),
    path("projects/<slug:slug>/taxonomy/", pools.taxonomy, name="taxonomy"),
    path("projects/<slug:slug>/teachers/", teachers.teachers, name="teachers"),
    path("projects/<slug:slug>/teachers/new/", teachers.teacher_new, name="teacher_new"),
    path("projects/<slug:slug>/solvers/new/", teachers.solver_new, name="solver_new"),
    path("projects/<slug:slug>/traces/import/", teachers.traces_import, name="traces_import"),
    path("teachers/<int:pk>/", teachers.teacher, name="teacher"),
    path("solvers/<int:pk>/", teachers.solver, name="solver"),
    path("collections/<int:pk>/", teachers.collection, name="collection"),
    path("collections/<int:pk>/cancel/", teachers.collection_cancel, name="collection_cancel"),
    path("collections/<int:pk>/retry/", teachers.collection_retry, name="collection_retry"),
    path("probes/<int:pk>/", teachers.probe, name="probe"),
    path("probes/<int:pk>/cancel/", teachers.probe_cancel, name="probe_cancel"),
    path("probes/<int:pk>/retry/", teachers.probe_retry, name="probe_retry"),
    path("traces/<int:pk>/", teachers.trace, name="trace"),
    path("traces/<int:pk>/adjudicate/", reviews.adjudicate, name="adjudicate"),
    path("projects/<slug:slug>/selections/", selections.selections, name="selections"),
    path("selections/<int:pk>/", selections.selection, name="selection"),
    path("selections/<int:pk>/cancel/", selections.selection_cancel, name="selection_cancel"),
    path("selections/<int:pk>/retry/", selections.selection_retry, name="selection_retry"),
    path("selections/<int:pk>/arms/", selections.selection_arms, name="selection_arms"),
    path("selections/<int:pk>/freeze/", selections.selection_freeze, name="selection_freeze"),
    path("projects/<slug:slug>/review/", reviews.reviews, name="reviews"),
    path("selections/<int:pk>/review/", reviews.review, name="review"),
    path("selections/<int:pk>/review/undo/", reviews.review_undo, name="review_undo"),
    path("projects/<slug:slug>/datasets/", datasets.datasets, name="datasets"),
    path("datasets/<int:pk>/", datasets.dataset, name="dataset"),
    path(
        "datasets/<int:pk>/download/<slug:file_format>/", datasets.dataset_download, name="dataset_download"
    ),
    path("projects/<slug:slug>/benchmarks/", benchmarks.benchmarks, name="benchmarks"),
    path("benchmarks/<int:pk>/", benchmarks.benchmark, name="benchmark"),
]
