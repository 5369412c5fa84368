"""Settings: frozen and typed, read once from the environment.

A default appears only when it is right for production and fit to publish; anything
missing stops the start with its name.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

PROFILES = ("demo", "production", "test")
PROJECT = Path(__file__).resolve().parent


class SettingsError(RuntimeError):
    """A setting is missing or unsafe; the message names it."""


@dataclass(frozen=True)
class Settings:
    """Everything the processes need to know about where and how they run."""

    profile: str
    secret_key: str = field(repr=False)
    database_url: str = field(repr=False)  # may hold a password
    object_store: str  # "folder" or "minio"
    data_dir: Path  # folder store and everything else that rests on disk, encrypted
    key_dir: Path  # root key; outside data_dir and the project
    spool_dir: Path  # tmpfs: .mjr of running sessions, working space of jobs
    minio_endpoint: str
    minio_access_key: str
    minio_secret_key: str = field(repr=False)
    minio_secure: bool
    media_server: str
    janus_http_url: str
    janus_ws_url: str
    janus_token_secret: str = field(repr=False)
    janus_admin_key: str = field(repr=False)
    janus_admin_secret: str = field(repr=False)
    public_url: str
    cookie_secure: bool
    time_zone: ZoneInfo
    login_idle: timedelta
    login_absolute: timedelta
    upload_limit_bytes: int
    chunk_lock_days: int
    key_provider: str  # "file" or "pkcs11"
    pkcs11_module: Path | None  # the device's library
    pkcs11_token: str
    pkcs11_pin_file: Path | None
    tsa_url: str  # time-stamp authority (RFC 3161); empty: checkpoints carry no time-stamp
    tsa_roots: Path | None  # PEM certificates that the authority's own must lead to

    @property
    def is_demo(self) -> bool:
        """Whether one-click log-ins and the demo clock exist."""
        return self.profile == "demo"

    @property
    def allows_demo_clock(self) -> bool:
        """The clock for legal dates moves in the demo and test profiles only."""
        return self.profile in ("demo", "test")


def _need(env: Mapping[str, str], name: str) -> str:
    value = env.get(name, "").strip()
    if not value:
        raise SettingsError(f"Thiếu cấu hình {name} / setting {name} is missing")
    return value


def _flag(env: Mapping[str, str], name: str, default: bool) -> bool:
    return env.get(name, "1" if default else "0").strip().lower() in ("1", "true", "yes", "on")


def _store_settings(env: Mapping[str, str], store: str) -> dict[str, object]:
    if store == "folder":
        return {
            "minio_endpoint": "",
            "minio_access_key": "",
            "minio_secret_key": "",
            "minio_secure": True,
        }
    if store != "minio":
        raise SettingsError(f"OBJECT_STORE={store!r}: chỉ nhận folder hoặc minio")
    return {
        "minio_endpoint": _need(env, "MINIO_ENDPOINT"),
        "minio_access_key": _need(env, "MINIO_ACCESS_KEY"),
        "minio_secret_key": _need(env, "MINIO_SECRET_KEY"),
        "minio_secure": _flag(env, "MINIO_SECURE", True),
    }


def _key_settings(env: Mapping[str, str]) -> dict[str, object]:
    provider = env.get("KEY_PROVIDER", "file")
    if provider == "file":
        return {
            "key_provider": provider,
            "pkcs11_module": None,
            "pkcs11_token": "",
            "pkcs11_pin_file": None,
        }
    if provider != "pkcs11":
        raise SettingsError(f"KEY_PROVIDER={provider!r}: chỉ nhận file hoặc pkcs11")
    return {
        "key_provider": provider,
        "pkcs11_module": Path(_need(env, "PKCS11_MODULE")),
        "pkcs11_token": _need(env, "PKCS11_TOKEN"),
        "pkcs11_pin_file": Path(_need(env, "PKCS11_PIN_FILE")),
    }


def _time_stamp_settings(env: Mapping[str, str]) -> dict[str, object]:
    if not env.get("TSA_URL", "").strip():
        return {"tsa_url": "", "tsa_roots": None}
    return {"tsa_url": _need(env, "TSA_URL"), "tsa_roots": Path(_need(env, "TSA_ROOTS"))}


def _unsafe_in_production(settings: Settings) -> dict[str, bool]:
    """Each sentence that must not be true of a real installation."""
    keys, data = settings.key_dir, settings.data_dir
    real_keys, real_data = keys.resolve(), data.resolve()  # links and ".." lead somewhere
    secrets = ("janus_token_secret", "janus_admin_key", "janus_admin_secret")
    return {
        "SECRET_KEY phải dài ít nhất 32 ký tự": len(settings.secret_key) < 32,
        "COOKIE_SECURE=0 không được dùng khi vận hành chính thức": not settings.cookie_secure,
        "PUBLIC_URL phải bắt đầu bằng https://": not settings.public_url.startswith("https://"),
        "JANUS_WS_URL phải bắt đầu bằng wss://": not settings.janus_ws_url.startswith("wss://"),
        "MINIO_SECURE=0 không được dùng khi vận hành chính thức": not settings.minio_secure,
        "DATA_DIR phải là đường dẫn tuyệt đối": not data.is_absolute(),
        "KEY_DIR phải là đường dẫn tuyệt đối": not keys.is_absolute(),
        "KEY_DIR phải nằm ngoài DATA_DIR và ngoài mã nguồn": (
            real_keys.is_relative_to(real_data) or real_keys.is_relative_to(PROJECT)
        ),
        **{
            f"{name.upper()} phải dài ít nhất 32 ký tự": len(getattr(settings, name)) < 32
            for name in secrets
        },
    }


def _refuse_unsafe_production(settings: Settings) -> None:
    if settings.profile != "production":
        return
    broken = [text for text, unsafe in _unsafe_in_production(settings).items() if unsafe]
    if broken:
        raise SettingsError("; ".join(broken))


def read_settings(env: Mapping[str, str] | None = None) -> Settings:
    """Read and check the settings. Raises SettingsError naming what is missing or unsafe."""
    env = os.environ if env is None else env
    profile = _need(env, "APP_PROFILE")
    if profile not in PROFILES:
        raise SettingsError(f"APP_PROFILE={profile!r}: chỉ nhận {', '.join(PROFILES)}")
    store = _need(env, "OBJECT_STORE")
    settings = Settings(
        profile=profile,
        secret_key=_need(env, "SECRET_KEY"),
        database_url=_need(env, "DATABASE_URL"),
        object_store=store,
        data_dir=Path(_need(env, "DATA_DIR")),
        key_dir=Path(_need(env, "KEY_DIR")),
        spool_dir=Path(_need(env, "SPOOL_DIR")),
        media_server=env.get("MEDIA_SERVER", "janus-1"),
        janus_http_url=_need(env, "JANUS_HTTP_URL"),
        janus_ws_url=_need(env, "JANUS_WS_URL"),
        janus_token_secret=_need(env, "JANUS_TOKEN_SECRET"),
        janus_admin_key=_need(env, "JANUS_ADMIN_KEY"),
        janus_admin_secret=_need(env, "JANUS_ADMIN_SECRET"),
        public_url=_need(env, "PUBLIC_URL").rstrip("/"),
        cookie_secure=_flag(env, "COOKIE_SECURE", True),
        time_zone=ZoneInfo(env.get("TIME_ZONE", "Asia/Ho_Chi_Minh")),
        login_idle=timedelta(minutes=int(env.get("LOGIN_IDLE_MINUTES", "30"))),
        login_absolute=timedelta(hours=int(env.get("LOGIN_ABSOLUTE_HOURS", "10"))),
        upload_limit_bytes=int(env.get("UPLOAD_LIMIT_MB", "25")) * 1024 * 1024,
        chunk_lock_days=int(env.get("CHUNK_LOCK_DAYS", "30")),
        **_store_settings(env, store),  # type: ignore[arg-type]  # each key is typed in _store_settings
        **_key_settings(env),  # type: ignore[arg-type]  # each key is typed in _key_settings
        **_time_stamp_settings(env),  # type: ignore[arg-type]  # and in _time_stamp_settings
    )
    _refuse_unsafe_production(settings)
    return settings
