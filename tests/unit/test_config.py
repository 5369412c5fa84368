"""Settings: whatever is missing or unsafe stops the start and is named."""

from __future__ import annotations

import pytest

from config import SettingsError, read_settings

WHOLE = {
    "APP_PROFILE": "production",
    "SECRET_KEY": "k" * 40,
    "DATABASE_URL": "postgresql+psycopg://app@db/tcd",
    "OBJECT_STORE": "minio",
    "MINIO_ENDPOINT": "store.internal:9000",
    "MINIO_ACCESS_KEY": "app",
    "MINIO_SECRET_KEY": "s" * 32,
    "DATA_DIR": "/srv/tcd/data",
    "KEY_DIR": "/srv/tcd-keys",
    "SPOOL_DIR": "/run/tcd",
    "JANUS_HTTP_URL": "http://127.0.0.1:8088/janus",
    "JANUS_WS_URL": "wss://tcd.example/janus-ws",
    "JANUS_TOKEN_SECRET": "a" * 32,
    "JANUS_ADMIN_KEY": "b" * 32,
    "JANUS_ADMIN_SECRET": "c" * 32,
    "PUBLIC_URL": "https://tcd.example",
}


def test_complete_production_settings_are_taken() -> None:
    settings = read_settings(WHOLE)
    assert settings.cookie_secure
    assert not settings.is_demo
    assert not settings.allows_demo_clock


@pytest.mark.parametrize("name", sorted(WHOLE))
def test_missing_setting_stops_the_start_with_its_name(name: str) -> None:
    with pytest.raises(SettingsError, match=name):
        read_settings({key: value for key, value in WHOLE.items() if key != name})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", "short"),
        ("COOKIE_SECURE", "0"),
        ("PUBLIC_URL", "http://tcd.example"),
        ("MINIO_SECURE", "0"),
        ("JANUS_TOKEN_SECRET", "short"),
        ("JANUS_ADMIN_KEY", "short"),
        ("JANUS_ADMIN_SECRET", "short"),
        ("DATA_DIR", "data"),
        ("KEY_DIR", "keys"),
        ("KEY_DIR", "/srv/tcd/data/keys"),
        ("KEY_DIR", "/srv/tcd/other/../data/keys"),
        ("JANUS_WS_URL", "ws://tcd.example/janus-ws"),
    ],
)
def test_unsafe_production_setting_stops_the_start_with_its_name(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        read_settings({**WHOLE, name: value})


@pytest.mark.parametrize("profile", ["", "prod", "Demo"])
def test_unknown_profile_is_refused(profile: str) -> None:
    with pytest.raises(SettingsError, match="APP_PROFILE"):
        read_settings({**WHOLE, "APP_PROFILE": profile})


def test_unknown_store_is_refused() -> None:
    with pytest.raises(SettingsError, match="OBJECT_STORE"):
        read_settings({**WHOLE, "OBJECT_STORE": "ftp"})


def test_settings_that_are_printed_show_no_secret() -> None:
    shown = repr(read_settings({**WHOLE, "DATABASE_URL": "postgresql+psycopg://app:pass1@db/tcd"}))
    for name in ("SECRET_KEY", "MINIO_SECRET_KEY", "JANUS_TOKEN_SECRET", "JANUS_ADMIN_KEY"):
        assert WHOLE[name] not in shown
    assert WHOLE["JANUS_ADMIN_SECRET"] not in shown
    assert "pass1" not in shown


@pytest.mark.parametrize("name", ["PKCS11_MODULE", "PKCS11_TOKEN", "PKCS11_PIN_FILE"])
def test_key_device_needs_module_token_and_pin(name: str) -> None:
    device = {
        "KEY_PROVIDER": "pkcs11",
        "PKCS11_MODULE": "/usr/lib/softhsm/libsofthsm2.so",
        "PKCS11_TOKEN": "tcd-root",
        "PKCS11_PIN_FILE": "/srv/tcd-keys/pin",
    }
    assert read_settings({**WHOLE, **device}).pkcs11_token == "tcd-root"
    with pytest.raises(SettingsError, match=name):
        read_settings({**WHOLE, **device, name: ""})


def test_unknown_key_provider_is_refused() -> None:
    with pytest.raises(SettingsError, match="KEY_PROVIDER"):
        read_settings({**WHOLE, "KEY_PROVIDER": "kes"})


def test_time_stamp_authority_needs_certificates_to_trust() -> None:
    assert read_settings(WHOLE).tsa_url == ""
    with pytest.raises(SettingsError, match="TSA_ROOTS"):
        read_settings({**WHOLE, "TSA_URL": "http://tsa.example/"})
