"""recording's gRPC face."""

from __future__ import annotations

from protos.recording.v1 import recording_pb2, recording_pb2_grpc
from services.chassis.blobs import Blobs
from services.chassis.clock import Clock
from services.chassis.rpc import Face
from services.recording.drawing import Waveforms
from services.recording.examining import Examiner
from services.recording.ingest import Ingest
from services.recording.keys import KeyRing
from services.recording.listening import Trail
from services.recording.reconciling import Reconciler
from services.recording.rpc_gateways import GatewayCalls
from services.recording.rpc_people import PeopleCalls
from services.recording.rpc_policies import PolicyCalls
from services.recording.segments import SegmentFiles
from services.recording.store import RecordingStore


class Recordings(GatewayCalls, PeopleCalls, PolicyCalls, recording_pb2_grpc.RecordingServicer):
    """The servicer of carillon.recording.v1.Recording."""

    def __init__(
        self,
        *,
        keys: KeyRing,
        store: RecordingStore,
        files: SegmentFiles,
        examiner: Examiner,
        blobs: Blobs,
        ingest: Ingest,
        reconciler: Reconciler,
        trail: Trail,
        waveforms: Waveforms,
        clock: Clock,
    ) -> None:
        self._keys = keys
        self._store = store
        self._files = files
        self._examiner = examiner
        self._blobs = blobs
        self._ingest = ingest
        self._reconciler = reconciler
        self._trail = trail
        self._waveforms = waveforms
        self._clock = clock


def face(servicer: Recordings) -> Face:
    """The face as a server takes it."""
    return Face(
        register=lambda server: recording_pb2_grpc.add_RecordingServicer_to_server(
            servicer, server
        ),
        name=recording_pb2.DESCRIPTOR.services_by_name["Recording"].full_name,
    )
