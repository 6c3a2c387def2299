"""Paths of runs and models, and their names."""

from django.urls import path

from training import views

urlpatterns = [
    path("projects/<slug:slug>/runs/", views.runs, name="runs"),
    path("projects/<slug:slug>/models/", views.models, name="models"),
    path("datasets/<int:pk>/train/", views.run_new, name="run_new"),
    path("datasets/<int:pk>/train/rows/", views.run_rows, name="run_rows"),
    path("runs/<int:pk>/", views.run, name="run"),
    path("runs/<int:pk>/cancel/", views.run_cancel, name="run_cancel"),
    path("runs/<int:pk>/retry/", views.run_retry, name="run_retry"),
]
