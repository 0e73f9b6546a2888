"""How long tokens are good for, and what becomes of one that is shown again."""

from __future__ import annotations

from services.portal.model.sessions import Session, Token, TokenKind, Verdict

_MINUTE_MS = 60_000
_DAY_MS = 24 * 60 * _MINUTE_MS
ACCESS_MS = 10 * _MINUTE_MS
"""An access token is good for so long."""
REFRESH_MS = 14 * _DAY_MS
"""A refresh token is good for so long."""
SESSION_MS = 90 * _DAY_MS
"""After so long, one signs in anew however often the session was refreshed."""
KEEP_EXPIRED_MS = _DAY_MS
"""An expired token is remembered for so long, so that its holder hears what is wrong with it."""
MAX_SESSIONS = 20
"""Of one user; a further one ends the oldest."""


def refresh_expires_at_ms(session: Session, now_ms: int) -> int:
    """Until when a refresh token made now is good."""
    return min(now_ms + REFRESH_MS, session.created_at_ms + SESSION_MS)


def judge_refresh(token: Token, session: Session, now_ms: int) -> Verdict:
    """What becomes of a refresh token that somebody shows now."""
    if token.kind is not TokenKind.REFRESH or session.ended_at_ms:
        return Verdict.REFUSED
    if token.used_at_ms:
        return Verdict.REUSED
    if now_ms >= token.expires_at_ms:
        return Verdict.EXPIRED
    return Verdict.GRANTED
