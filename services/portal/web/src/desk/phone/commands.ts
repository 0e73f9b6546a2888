/** What the desk asks of the server for one contact; each answer is the newest view of the desk. */
import { deskIs } from "@/api/boards";
import { api, told } from "@/api/client";
import type { DeskView } from "@/api/types";

const at = (id: string) => ({ params: { path: { reservation_id: id } } });

async function seen(asking: Promise<DeskView>): Promise<DeskView> {
  const view = await asking;
  deskIs(view);
  return view;
}

/** The commands without anything to say beside the contact. */
export const commands = {
  ringing: (id: string) =>
    seen(told(api.POST("/v1/desk/reservations/{reservation_id}:ringing", { ...at(id), body: {} }))),
  accept: (id: string) =>
    seen(told(api.POST("/v1/desk/reservations/{reservation_id}:accept", { ...at(id), body: {} }))),
  reject: (id: string) =>
    seen(told(api.POST("/v1/desk/reservations/{reservation_id}:reject", { ...at(id), body: {} }))),
  hold: (id: string) =>
    seen(told(api.POST("/v1/desk/reservations/{reservation_id}:hold", { ...at(id), body: {} }))),
  unhold: (id: string) =>
    seen(told(api.POST("/v1/desk/reservations/{reservation_id}:unhold", { ...at(id), body: {} }))),
  mute: (id: string) =>
    seen(told(api.POST("/v1/desk/reservations/{reservation_id}:mute", { ...at(id), body: {} }))),
  unmute: (id: string) =>
    seen(told(api.POST("/v1/desk/reservations/{reservation_id}:unmute", { ...at(id), body: {} }))),
  hangUp: (id: string) =>
    seen(told(api.POST("/v1/desk/reservations/{reservation_id}:hang-up", { ...at(id), body: {} }))),
  extend: (id: string) =>
    seen(told(api.POST("/v1/desk/reservations/{reservation_id}:extend", { ...at(id), body: {} }))),
  resumeRecording: (id: string) =>
    seen(
      told(
        api.POST("/v1/desk/reservations/{reservation_id}:resume-recording", {
          ...at(id),
          body: {},
        }),
      ),
    ),
};

export type Command = keyof typeof commands;

/** Gives our offer of audio for a contact, and brings the gateway's answer. */
export async function exchange(id: string, offer: string): Promise<string> {
  const answer = await told(
    api.POST("/v1/desk/reservations/{reservation_id}:connect", {
      ...at(id),
      body: { sdp_offer: offer },
    }),
  );
  return answer.sdp_answer;
}

/** Stops recording for a while. */
export function pauseRecording(id: string, reason: string): Promise<DeskView> {
  return seen(
    told(
      api.POST("/v1/desk/reservations/{reservation_id}:pause-recording", {
        ...at(id),
        body: { reason },
      }),
    ),
  );
}

/** Says what the contact was about. */
export function setDisposition(id: string, code: string): Promise<DeskView> {
  return seen(
    told(
      api.POST("/v1/desk/reservations/{reservation_id}:disposition", { ...at(id), body: { code } }),
    ),
  );
}

/** Ends wrap-up, with or without a disposition. */
export function finish(id: string, code: string): Promise<DeskView> {
  return seen(
    told(
      api.POST("/v1/desk/reservations/{reservation_id}:finish", {
        ...at(id),
        body: code ? { code } : {},
      }),
    ),
  );
}

/** Presses keys for the other side. */
export function sendDigits(id: string, digits: string): Promise<DeskView> {
  return seen(
    told(
      api.POST("/v1/desk/reservations/{reservation_id}:send-digits", {
        ...at(id),
        body: { digits },
      }),
    ),
  );
}

export type Target = { queue_id: string } | { agent_id: string } | { number: string };

/** Hands the caller on. */
export function transfer(id: string, target: Target, reason: string): Promise<DeskView> {
  return seen(
    told(
      api.POST("/v1/desk/reservations/{reservation_id}:transfer", {
        ...at(id),
        body: { ...target, reason },
      }),
    ),
  );
}

/** Ready, a break with its reason, or signed out. */
export function setPresence(presence: string, reason = ""): Promise<DeskView> {
  return seen(told(api.POST("/v1/desk:presence", { body: { presence, reason } })));
}
