"""Paths of evaluations and results, and their names."""

from django.urls import path

from evaluation import views

urlpatterns = [
    path("projects/<slug:slug>/results/", views.results, name="results"),
    path("projects/<slug:slug>/evaluations/new/", views.evaluation_new, name="evaluation_new"),
    path("evaluations/<int:pk>/", views.evaluation, name="evaluation"),
    path("evaluations/<int:pk>/cancel/", views.evaluation_cancel, name="evaluation_cancel"),
    path("evaluations/<int:pk>/retry/", views.evaluation_retry, name="evaluation_retry"),
    path("evaluations/<int:pk>/items/<int:position>/", views.evaluation_item, name="evaluation_item"),
]
