/** The servers that lead to gateways which this browser does not reach straight. */
import { api, told } from "@/api/client";
import { session } from "@/api/session";

/** A way that is asked for longer than this is not waited for: the straight one is tried. */
const ASK_MS = 1_500;

interface Told {
  /** Whose credentials they are. */
  who: string | undefined;
  configuration: RTCConfiguration;
  untilMs: number;
}

let known: Told | null = null;
let asking: Promise<RTCConfiguration> | null = null;

/** What a connection is to use; it never fails. */
export function iceConfiguration(): Promise<RTCConfiguration> {
  if (known && Date.now() < known.untilMs && known.who === session.me()?.id)
    return Promise.resolve(known.configuration);
  asking ??= ask().finally(() => (asking = null));
  return asking;
}

async function ask(): Promise<RTCConfiguration> {
  const who = session.me()?.id;
  try {
    const signal = AbortSignal.timeout(ASK_MS);
    const { servers, relay_only, lifetime_s } = await told(
      api.GET("/v1/desk/ice-servers", { signal }),
    );
    const configuration: RTCConfiguration = {
      iceServers: servers.map(({ urls, username, credential }) =>
        username ? { urls, username, credential } : { urls },
      ),
      iceTransportPolicy: relay_only ? "relay" : "all",
    };
    // Half of the credentials' time is left for whoever begins last.
    known = { who, configuration, untilMs: Date.now() + lifetime_s * 500 };
    return configuration;
  } catch {
    return {};
  }
}
