/** The API's messages under their short names. */
import type { components } from "./schema";

type Schemas = components["schemas"];

/** What the API answers with, by its name in the protos: `Schema<"acd.v1.AgentView">`. */
export type Schema<Name extends keyof Schemas> = Schemas[Name];

export type AgentView = Schema<"acd.v1.AgentView">;
export type QueueView = Schema<"acd.v1.QueueView">;
export type ReservationRow = Schema<"acd.v1.ReservationRow">;
export type Receipt = Schema<"acd.v1.Receipt">;
export type DeskView = Schema<"portal.v1.DeskView">;
export type DeskWork = Schema<"portal.v1.DeskWork">;
export type CustomerCard = Schema<"crm.v1.CustomerCard">;
export type PastContact = Schema<"crm.v1.PastContact">;
export type Live = Schema<"analytics.v1.Live">;
export type LiveRow = Schema<"analytics.v1.LiveRow">;
export type Figure = Schema<"analytics.v1.Figure">;
export type Me = Schema<"portal.v1.Me">;
export type Session = Schema<"portal.v1.Session">;
export type Tenant = Schema<"portal.v1.Tenant">;
export type User = Schema<"portal.v1.User">;

/** 64-bit integers travel as text; instants and lengths fit a number without loss. */
export function ms(value: string | number | undefined): number {
  return Number(value ?? 0);
}
