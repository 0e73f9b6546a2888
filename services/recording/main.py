"""recording's wiring."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from services.chassis.feed import Feed
from services.chassis.key_file import KeyFileUnusable
from services.chassis.lifecycle import Service
from services.chassis.log import get_logger
from services.chassis.metrics import Reading
from services.chassis.objects_sealed import SealedObjects
from services.chassis.outbox import OutboxPublisher
from services.chassis.rpc import Face
from services.chassis.settings import load
from services.chassis.tasks import Tasks
from services.chassis.world import World
from services.recording import readings, rpc
from services.recording.drawing import Waveforms
from services.recording.examining import Examiner
from services.recording.feed import GROUP, CallFeed
from services.recording.ingest import Ingest
from services.recording.keys import KeyRing, ensure_keys, read_keys
from services.recording.listening import Trail
from services.recording.reconciling import Reconciler
from services.recording.segments import MemorySegments, SegmentFiles
from services.recording.segments_stored import DirectorySegments, StoredSegments
from services.recording.settings import RecordingSettings
from services.recording.store import MemoryRecordingStore, RecordingStore
from services.recording.store_sql import SqlRecordingStore
from services.recording.sweeping import Sweeper
from services.recording.wire_events import ACD_TOPIC, GATEWAY_TOPIC

log = get_logger("recording")

USE = "recordings"
"""Of a cluster's storage."""


class RecordingService:
    """Recordings of all tenants."""

    name = "recording"

    def __init__(
        self,
        *,
        world: World,
        settings: RecordingSettings,
        store: RecordingStore,
        files: Callable[[KeyRing], SegmentFiles],
        publisher: OutboxPublisher | None,
    ) -> None:
        """`files` are where segments are kept, for whoever has the keys.

        `publisher` brings the store's events to the bus; None: the store does it itself.
        """
        self._world = world
        self._settings = settings
        self._store = store
        self._files_for = files
        self._publisher = publisher
        self._feed = Feed(
            bus=world.bus,
            group=GROUP,
            topics=(ACD_TOPIC, GATEWAY_TOPIC),
            handle=CallFeed(store).handle,
            clock=world.clock,
        )
        self._tasks = Tasks()
        self._servicer: rpc.Recordings | None = None
        self._ingest: Ingest | None = None
        self._reconciler: Reconciler | None = None

    def faces(self) -> list[Face]:
        """The one face of recordings; after `start`."""
        assert self._servicer is not None, "faces are asked for after start"
        return [rpc.face(self._servicer)]

    async def start(self) -> None:
        """Reads the keys; KeyFileUnusable."""
        key_file = self._settings.keys_in(self._world.var_dir)
        if self._world.objects is not None and not self._settings.key_file:
            raise KeyFileUnusable(
                "set CARILLON_RECORDING_KEY_FILE: every replica opens what another has taken,"
                " so all need the same private keys (one per line: openssl rand -hex 32)"
            )
        # A file that was named is not made: a wrong name must not become a new key.
        keys = read_keys(key_file) if self._settings.key_file else ensure_keys(key_file)
        log.info("sealing key", key_id=keys.present.key_id)
        clock, store, files = self._world.clock, self._store, self._files_for(keys)
        examiner = Examiner(files=files, keys=keys)
        ingest = Ingest(
            keys=keys,
            files=files,
            store=store,
            examiner=examiner,
            clock=clock,
            new_id=self._world.new_id,
            tasks=self._tasks,
        )
        reconciler = Reconciler(store=store, clock=clock)
        self._servicer = rpc.Recordings(
            keys=keys,
            store=store,
            files=files,
            examiner=examiner,
            blobs=self._world.blobs,
            ingest=ingest,
            reconciler=reconciler,
            trail=Trail(store=store, clock=clock, new_id=self._world.new_id),
            waveforms=Waveforms(
                store=store, examiner=examiner, blobs=self._world.blobs, tasks=self._tasks
            ),
            clock=clock,
        )
        self._ingest, self._reconciler = ingest, reconciler
        self._begin(ingest, reconciler)

    async def drain(self) -> None:
        """Nothing: a gateway asks another replica, or again."""

    async def stop(self) -> None:
        """Ends everything that still runs."""
        await self._tasks.close()

    def readings(self) -> Iterable[Reading]:
        """What recording shows of itself."""
        if self._ingest is None or self._reconciler is None:
            return ()
        return readings.of(
            ingest=self._ingest,
            reconciler=self._reconciler,
            feed=self._feed,
            publisher=self._publisher,
        )

    def _begin(self, ingest: Ingest, reconciler: Reconciler) -> None:
        settings = self._settings
        sweeper = Sweeper(
            store=self._store,
            ingest=ingest,
            clock=self._world.clock,
            silence_s=settings.gateway_silence_s,
        )
        self._tasks.start(self._feed.run(), "recording feed")
        self._tasks.start(sweeper.run(settings.sweep_every_s), "recording sweep")
        self._tasks.start(reconciler.run(settings.reconcile_every_s), "recording reconciliation")
        if self._publisher is not None:
            self._tasks.start(self._publisher.run(), "recording outbox")


def build(world: World) -> Service:
    """Recordings in a world: in PostgreSQL and objects, or all in memory in a simulation."""
    settings = load(RecordingSettings)
    files = _files(world, settings)
    database = world.database("recording")
    if database is None:
        store: RecordingStore = MemoryRecordingStore(world.bus)
        return RecordingService(
            world=world, settings=settings, store=store, files=files, publisher=None
        )
    publisher = OutboxPublisher(database=database, bus=world.bus)
    store = SqlRecordingStore(database, written=publisher.nudge)
    return RecordingService(
        world=world, settings=settings, store=store, files=files, publisher=publisher
    )


def _files(world: World, settings: RecordingSettings) -> Callable[[KeyRing], SegmentFiles]:
    if world.name == "simulated":
        return lambda _: MemorySegments()
    if world.objects is None:
        folder = settings.segments_in(world.var_dir)
        return lambda _: DirectorySegments(folder)
    if settings.folder is not None:
        log.warning("segments are kept in the bucket", not_used="CARILLON_RECORDING_FOLDER")
    # In a bucket, which others run, nothing is readable: what closes a call is sealed as well.
    objects = world.objects(USE)
    return lambda keys: StoredSegments(objects, summaries=SealedObjects(objects, keys.pairs))
