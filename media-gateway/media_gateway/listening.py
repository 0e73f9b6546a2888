"""How calls sounded: the quality of every leg's media, told when the leg is over."""

from __future__ import annotations

from collections.abc import Iterator

from media_gateway.rtp.model import FRAME_MS, LegKind, MediaStats
from media_gateway.rtp.quality import loss_of, mos_of
from services.chassis.metrics import Reading, Spread

MIN_PACKETS = 50
"""A leg of which less than a second was heard says nothing of quality."""
SHARES = (0.0, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25)
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.25)
SCORES = (2.0, 2.6, 3.1, 3.6, 4.0, 4.2, 4.3, 4.4)
GAPS = (0.0, 0.02, 0.04, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


class Quality:
    """Counts the legs of one gateway by how they sounded."""

    def __init__(self) -> None:
        self._of: dict[LegKind, _Kind] = {"sip": _Kind(), "webrtc": _Kind()}

    def see(self, stats: MediaStats, kind: LegKind) -> None:
        """A leg is over."""
        self._of[kind].see(stats)

    def readings(self) -> Iterator[Reading]:
        """As they stand."""
        for kind, legs in self._of.items():
            yield from legs.readings((("kind", kind),))


class _Kind:
    """The legs of one kind."""

    def __init__(self) -> None:
        self._loss, self._jitter = Spread(SHARES), Spread(SECONDS)
        self._score, self._gap = Spread(SCORES), Spread(GAPS)
        self._round_trip = Spread(SECONDS)
        self._gaps = 0

    def see(self, stats: MediaStats) -> None:
        score = mos_of(stats)
        if score is None or stats.packets_expected < MIN_PACKETS:
            return
        self._loss.see(loss_of(stats))
        self._jitter.see(stats.jitter_ms / 1_000)
        self._score.see(score)
        self._gap.see(stats.longest_gap * FRAME_MS / 1_000)
        self._gaps += stats.gaps
        if stats.rtt_ms is not None:
            self._round_trip.see(stats.rtt_ms / 1_000)

    def readings(self, labels: tuple[tuple[str, str], ...]) -> Iterator[Reading]:
        for name, text, spread in (
            ("loss_ratio", "Legs by the share of their packets that never came.", self._loss),
            ("jitter_seconds", "Legs by their interarrival jitter at the end.", self._jitter),
            ("score", "Legs by the estimated opinion of a listener, 1 to 4.5.", self._score),
            ("longest_gap_seconds", "Legs by the longest piece that was missing.", self._gap),
            ("round_trip_seconds", "Legs by their last round trip by RTCP.", self._round_trip),
        ):
            yield spread.reading(f"carillon_gateway_leg_{name}", text, labels)
        yield Reading(
            "carillon_gateway_leg_gaps_total",
            "Times that packets of a leg that is over were missing.",
            self._gaps,
            labels,
            "counter",
        )
