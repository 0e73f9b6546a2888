/** Signing out. */
import { api, told } from "@/api/client";
import { clearBoards } from "@/api/boards";
import { stopFeed } from "@/api/feed";
import { session } from "@/api/session";

/** Ends the session at the server, and here in any case. */
export async function signOut(): Promise<void> {
  stopFeed();
  try {
    await told(api.POST("/v1/sessions:end", { body: {} }));
  } catch {
    // The tokens are forgotten here; at the server they end by themselves.
  }
  session.end();
  clearBoards();
}
