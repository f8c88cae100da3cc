"""Settings of django-allauth: sign-in by an e-mailed code and nothing else. server/settings.py takes them over."""

from __future__ import annotations

from typing import Any

SETTINGS: dict[str, Any] = {
    "AUTHENTICATION_BACKENDS": [
        # Staff sign in to the newsroom with a password; readers have none.
        "django.contrib.auth.backends.ModelBackend",
        "allauth.account.auth_backends.AuthenticationBackend",
    ],
    "LOGIN_URL": "/account/sign-in/",
    "LOGIN_REDIRECT_URL": "/account/",
    "ACCOUNT_LOGOUT_REDIRECT_URL": "/",
    "ACCOUNT_ADAPTER": "broadsheet.readers.adapters.allauth.ReaderAdapter",
    "ACCOUNT_USER_MODEL_USERNAME_FIELD": None,
    "ACCOUNT_LOGIN_METHODS": {"email"},
    "ACCOUNT_SIGNUP_FIELDS": ["email*"],
    # The code itself proves the address; a second letter would prove nothing more.
    "ACCOUNT_EMAIL_VERIFICATION": "none",
    "ACCOUNT_PREVENT_ENUMERATION": True,
    "ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS": False,
    "ACCOUNT_LOGIN_BY_CODE_ENABLED": True,
    "ACCOUNT_LOGIN_BY_CODE_MAX_ATTEMPTS": 3,
    "ACCOUNT_LOGIN_BY_CODE_TIMEOUT": 15 * 60,
    "ACCOUNT_LOGIN_BY_CODE_SUPPORTS_RESEND": 2,
    # 20^6 codes: short enough to type from a phone, and 60 guesses an hour at one address find nothing.
    "ACCOUNT_LOGIN_BY_CODE_FORMAT": {"length": 6, "dashed": True, "numeric": False},
    "ACCOUNT_RATE_LIMITS": {
        # Per network (an IPv6 one is its /64) and per address asked for.
        "request_login_code": "20/m/ip,100/h/ip,3/m/key,20/h/key",
        # Staff's passwords: per network, per name and network, per name.
        "staff_login": "20/m/ip,100/h/ip,5/5m/key",
        "staff_login_name": "100/h/key",
        "staff_reset": "20/h/ip,3/h/key",
    },
    "ALLAUTH_RATE_LIMIT_IPV6_PREFIX": 64,
    "ACCOUNT_SESSION_REMEMBER": True,
    "SESSION_COOKIE_AGE": 90 * 24 * 60 * 60,
    # The paper as an OpenID provider; the doors stand in api/urls.py.
    "IDP_OIDC_ADAPTER": "broadsheet.api.adapters.provider.Provider",
    "IDP_OIDC_INTROSPECTION_ENABLED": True,
    "IDP_OIDC_REFRESH_TOKEN_EXPIRES_IN": 180 * 24 * 60 * 60,
    "IDP_OIDC_DEVICE_CODE_EXPIRES_IN": 10 * 60,
    # 20^8 codes: short enough to type from a television, and five guesses a minute find nothing in ten.
    "IDP_OIDC_USER_CODE_FORMAT": {"length": 8, "dashed": True, "numeric": False},
    "IDP_OIDC_RATE_LIMITS": {"introspect_ip": "1200/m/ip", "introspect_client": "1200/m/key"},
}
