"""The browser side of an agent, without a browser: a stock peer connection that speaks and hears.

It judges the product and shares no code with it.

async with Peer() as peer:
    sdp_answer = ...  # what came back for `await peer.offer()`
    await peer.accept_answer(sdp_answer)
    await peer.connected(within_s=2)
    peer.play_tone(660)
    await peer.hears_tone(440)
"""

from tests.agent.peer import Peer

__all__ = ["Peer"]
