"""What a leg's numbers mean to an ear: the E-model for G.711 (ITU-T G.107, G.113).

An estimate from loss, jitter and round trip alone: it knows nothing of echo, noise or the voice
itself. 4.4 is the best that narrow-band telephony can be; below 3.6 many are dissatisfied.
"""

from __future__ import annotations

from typing import Final

from media_gateway.rtp.model import FRAME_MS, MediaStats

BEST_R: Final = 93.2
"""G.107's default with no impairment."""
LOSS_ROBUSTNESS: Final = 25.1
"""G.113, appendix I: G.711 whose listeners conceal losses, as browsers and phones do."""
USUAL_ROUND_TRIP_MS: Final = 40.0
"""Where no report told the round trip."""
LATE_MS: Final = 177.3
"""One-way delay from which conversations suffer (G.107, simplified)."""


def mos_of(stats: MediaStats) -> float | None:
    """The mean opinion score of what this leg's far end said, 1 to 4.5; None: nothing came."""
    if not stats.packets_expected:
        return None
    round_trip_ms = USUAL_ROUND_TRIP_MS if stats.rtt_ms is None else stats.rtt_ms
    # A listener's jitter buffer holds about twice the jitter, and a packet takes its own length.
    delay_ms = round_trip_ms / 2 + 2 * stats.jitter_ms + FRAME_MS
    late_ms = max(0.0, delay_ms - LATE_MS)
    percent = 100 * loss_of(stats)
    rating = BEST_R - 0.024 * delay_ms - 0.11 * late_ms - 95 * percent / (percent + LOSS_ROBUSTNESS)
    return score_of(rating)


def loss_of(stats: MediaStats) -> float:
    """The share of packets that never came, 0 to 1."""
    if not stats.packets_expected:
        return 0.0
    return min(1.0, max(0.0, stats.packets_lost / stats.packets_expected))


def score_of(rating: float) -> float:
    """G.107's rating, 0 to 100, as an opinion (annex B)."""
    if rating <= 0:
        return 1.0
    if rating >= 100:
        return 4.5
    return max(1.0, 1 + 0.035 * rating + rating * (rating - 60) * (100 - rating) * 7e-6)
