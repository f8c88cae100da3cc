"""Signing in and out. The second name of a page is the one allauth asks for."""

from __future__ import annotations

from django.urls import path

from broadsheet.readers import views

urlpatterns = [
    path("account/sign-in/", views.SignIn.as_view(), name="account_request_login_code"),
    path("account/sign-in/", views.SignIn.as_view(), name="account_login"),
    path("account/sign-in/", views.SignIn.as_view(), name="account_inactive"),
    path("account/sign-in/", views.SignIn.as_view(), name="sign_in"),
    path("account/sign-in/code/", views.TypeCode.as_view(), name="account_confirm_login_code"),
    path("account/sign-out/", views.sign_out, name="sign_out"),
]
