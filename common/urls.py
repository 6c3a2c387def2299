"""Paths of projects and their members, and their names."""

from django.contrib.auth.decorators import login_not_required
from django.urls import path
from django.views.i18n import set_language

from common import views

urlpatterns = [
    path("", views.home, name="home"),
    # Django's own view, open to strangers too: the sign-in page can be read in either language.
    path("i18n/setlang/", login_not_required(set_language), name="set_language"),
    path("projects/new/", views.project_new, name="project_new"),
    path("projects/<slug:slug>/", views.project, name="project"),
    path("projects/<slug:slug>/settings/", views.project_settings, name="project_settings"),
    path("projects/<slug:slug>/members/", views.member_add, name="member_add"),
    path("projects/<slug:slug>/members/<int:pk>/role/", views.member_role, name="member_role"),
    path("projects/<slug:slug>/members/<int:pk>/remove/", views.member_remove, name="member_remove"),
    path("projects/<slug:slug>/tokens/", views.tokens, name="tokens"),
    path("projects/<slug:slug>/tokens/<int:pk>/revoke/", views.token_revoke, name="token_revoke"),
]
