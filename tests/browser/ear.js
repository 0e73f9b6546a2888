// What the page hears: every track that a peer connection brings, whoever made it.
(() => {
  const heard = [];
  const Original = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Original {
    constructor(...given) {
      super(...given);
      heard.push(this);
    }
  };
  let context;
  const ears = new Map();
  function ear(track) {
    let found = ears.get(track.id);
    if (!found) {
      context ??= new AudioContext();
      const analyser = new AnalyserNode(context, { fftSize: 8192, smoothingTimeConstant: 0 });
      context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
      found = { analyser, bins: new Float32Array(analyser.frequencyBinCount) };
      ears.set(track.id, found);
    }
    return found;
  }
  // The loudest frequency of what comes now, in Hz, with its level in dB; null: nothing comes.
  window.carillonEar = async () => {
    if (context?.state === "suspended") await context.resume();
    let best = null;
    for (const connection of heard) {
      if (connection.connectionState !== "connected") continue;
      for (const { track } of connection.getReceivers()) {
        if (track?.kind !== "audio" || track.readyState !== "live") continue;
        const { analyser, bins } = ear(track);
        analyser.getFloatFrequencyData(bins);
        let top = 0;
        for (let bin = 1; bin < bins.length; bin += 1) if (bins[bin] > bins[top]) top = bin;
        const hz = (top * context.sampleRate) / analyser.fftSize;
        if (!best || bins[top] > best.db) best = { hz, db: bins[top], state: context.state };
      }
    }
    return best;
  };
  // Of every connection: what kind of candidate each of the browser's is, and which of them carries.
  window.carillonWays = async () => {
    const found = [];
    for (const connection of heard) {
      const stats = [...(await connection.getStats()).values()];
      const kind = (id) => stats.find((each) => each.id === id)?.candidateType;
      const chosen = stats.find((each) => each.type === "transport")?.selectedCandidatePairId;
      const pair = stats.find((each) => each.id === chosen);
      const offered = stats.filter((each) => each.type === "local-candidate");
      found.push({
        state: connection.connectionState,
        carries: pair ? kind(pair.localCandidateId) : null,
        offered: offered.map((each) => each.candidateType),
      });
    }
    return found;
  };
})();
