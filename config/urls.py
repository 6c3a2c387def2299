"""The site map."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("common.urls")),
    path("", include("curator.urls")),
    path("", include("training.urls")),
    path("", include("evaluation.urls")),
    path("accounts/", include("allauth.account.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("operator/", admin.site.urls),
    path("api/", include("config.api")),
]
handler400 = "common.views.malformed"
handler403 = "common.views.forbidden"
handler404 = "common.views.not_found"
handler500 = "common.views.broken"
