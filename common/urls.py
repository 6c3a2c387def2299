"""Paths of projects and their members, and their names."""

from django.urls import path

from common import views

urlpatterns = [
    path("", views.home, name="home"),
    path("projects/new/", views.project_new, name="project_new"),
    path("projects/<slug:slug>/", views.project, name="project"),
    path("projects/<slug:slug>/settings/", views.project_settings, name="project_settings"),
    path("projects/<slug:slug>/members/", views.member_add, name="member_add"),
    path("projects/<slug:slug>/members/<int:pk>/role/", views.member_role, name="member_role"),
    path("projects/<slug:slug>/members/<int:pk>/remove/", views.member_remove, name="member_remove"),
]
