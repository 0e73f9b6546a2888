"""Which world a process lives in, as its settings say."""

from __future__ import annotations

import os
import secrets
import socket
from pathlib import Path

from services.chassis.blobs_s3 import S3Blobs
from services.chassis.bus_kafka import KafkaBus
from services.chassis.bus_kafka_address import KafkaAddress
from services.chassis.cluster import cluster_world
from services.chassis.disk_cache import DiskCache
from services.chassis.objects_s3 import S3Objects
from services.chassis.s3 import S3, S3Address
from services.chassis.s3_lock import check_bucket
from services.chassis.settings import ChassisSettings, load
from services.chassis.settings_cluster import ClusterSettings
from services.chassis.settings_parts import KafkaSettings, S3Settings
from services.chassis.world import World, local_world

BROKER_LIMIT_S = 10.0
"""For one attempt to reach the brokers, at most; there are some within the start's limit."""
ATTEMPTS = 3
MiB = 1024 * 1024


def open_world(settings: ChassisSettings, *, var_dir: Path | None = None) -> World:
    """The world of this process; ends it with status 2 where a setting is wrong.

    `var_dir` is there in place of the setting's. BadServiceTLS, BadKafkaAddress, BadS3Address.
    """
    var_dir = var_dir or settings.var_dir
    if settings.world == "local":
        return local_world(
            var_dir=var_dir, run_dir=settings.run_dir, database_file=settings.database_file
        )
    cluster, kafka, storage = load(ClusterSettings), load(KafkaSettings), load(S3Settings)
    name = f"{socket.gethostname()[:40]}-{os.getpid()}-{secrets.token_hex(4)}"
    attempt_s = max(1.0, min(BROKER_LIMIT_S, cluster.start_limit_s / ATTEMPTS))
    bus = KafkaBus(kafka_address(kafka, start_limit_s=attempt_s), name=name)
    s3 = S3(s3_address(storage))
    return cluster_world(
        cluster,
        bus=bus,
        blobs=S3Blobs(s3.address, s3=s3, cache=blob_cache(storage, var_dir)),
        objects=lambda use: S3Objects(s3, prefix=use, worm=s3.address.worm),
        var_dir=var_dir,
        run_dir=settings.run_dir,
        proofs={
            "CARILLON_KAFKA_BROKERS": bus.open,
            "CARILLON_S3_ENDPOINT, CARILLON_S3_BUCKET": lambda: check_bucket(s3),
        },
        closing=s3.close,
    )


def blob_cache(settings: S3Settings, var_dir: Path) -> DiskCache | None:
    """Where a process keeps the blobs that it has read; None: nowhere."""
    if not settings.cache_mb:
        return None
    return DiskCache(var_dir.absolute() / "blob-cache", max_bytes=settings.cache_mb * MiB)


def kafka_address(
    settings: KafkaSettings, *, start_limit_s: float = BROKER_LIMIT_S
) -> KafkaAddress:
    """Where Kafka is; BadKafkaAddress."""
    return KafkaAddress(
        brokers=settings.addresses,
        security=settings.security,
        ca_file=settings.ca,
        cert_file=settings.cert,
        key_file=settings.key,
        user=settings.user,
        password=settings.password if settings.user else None,
        prefix=settings.prefix,
        replication=settings.replication,
        min_in_sync=settings.min_in_sync,
        retention_hours=settings.retention_hours,
        start_limit_s=start_limit_s,
    )


def s3_address(settings: S3Settings) -> S3Address:
    """Where the storage is; BadS3Address."""
    return S3Address(
        endpoint=settings.endpoint,
        access_key=settings.access_key,
        secret_key=settings.secret_key,
        bucket=settings.bucket,
        region=settings.region,
        ca_file=settings.ca,
        path_style=settings.path_style,
        worm=settings.worm,
        retention_days=settings.retention_days,
        threads=settings.threads,
        key_file=settings.key_file,
    )
