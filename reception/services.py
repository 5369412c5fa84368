"""Makes what a process runs with out of its settings: engine, keys, store, media gateway."""

from __future__ import annotations

import sys

from flask import Flask, current_app

from config import PROJECT, Settings
from reception.clock import shifted_now
from reception.media_gateway import JanusGateway, MediaGateway
from storage.database import db, engine_options, prepare_engine
from storage.keyring import (
    FieldCipher,
    Keyring,
    RootKey,
    RootKeyMissing,
    create_root_key,
)
from storage.keyrows import DatabaseKeyRows
from storage.models.base import utc_now
from storage.objects import FolderStore, MinioStore, ObjectStore, minio_client
from storage.rootkeys import Device, NoRootKey, RootPlace
from storage.runtime import Runtime, configure
from storage.timestamps import Authority


def make_store(settings: Settings) -> ObjectStore:
    """The object store the settings name."""
    if settings.object_store == "folder":
        return FolderStore(settings.data_dir / "objects")
    return MinioStore(
        lambda: minio_client(
            settings.minio_endpoint,
            settings.minio_access_key,
            settings.minio_secret_key,
            secure=settings.minio_secure,
        )
    )


def make_gateway(settings: Settings) -> MediaGateway:
    """The media server beside which this process runs."""
    return JanusGateway(
        http_url=settings.janus_http_url,
        ws_url=settings.janus_ws_url,
        admin_key=settings.janus_admin_key,
        token_secret=settings.janus_token_secret,
    )


def root_place(settings: Settings) -> RootPlace:
    """Where the settings say that the root key lives."""
    device = None
    if settings.pkcs11_module is not None and settings.pkcs11_pin_file is not None:
        device = Device(settings.pkcs11_module, settings.pkcs11_token, settings.pkcs11_pin_file)
    return RootPlace(settings.key_dir, (settings.data_dir, PROJECT), device)


def _root_key(settings: Settings) -> RootKey:
    """The root key. A demo makes its own on the first start; nothing else ever does.

    Without one only the two commands start that make it or bring it back.
    """
    place = root_place(settings)
    if settings.is_demo and place.device is None and not place.ids():
        create_root_key(settings.key_dir)
    try:
        return place.open()
    except RootKeyMissing:
        if sys.argv[1:3] not in (["keys", "init"], ["keys", "recover"]):
            raise
        return NoRootKey()


def init_services(app: Flask, settings: Settings) -> None:
    """Configure storage for this process. Raises UnsafeKeyStorage: without a key, no start."""
    app.config["SQLALCHEMY_DATABASE_URI"] = settings.database_url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine_options(settings.database_url)
    db.init_app(app)
    with app.app_context():
        engine = prepare_engine(db.engine)
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    keyring = Keyring(_root_key(settings), DatabaseKeyRows(engine))
    legal = shifted_now if settings.allows_demo_clock else None
    configure(
        Runtime(
            engine=engine,
            keyring=keyring,
            fields=FieldCipher(keyring, year=lambda: utc_now().year),
            store=make_store(settings),
            spool_dir=settings.spool_dir,
            data_dir=settings.data_dir,
            key_dir=settings.key_dir,
            now=utc_now,
            legal_now=(lambda: legal(engine)) if legal else utc_now,
            authority=Authority(settings.tsa_url, settings.tsa_roots)
            if settings.tsa_roots is not None
            else None,
        )
    )
    app.extensions["gateway"] = make_gateway(settings)


def gateway() -> MediaGateway:
    """The media gateway of the running application."""
    found: MediaGateway = current_app.extensions["gateway"]
    return found
