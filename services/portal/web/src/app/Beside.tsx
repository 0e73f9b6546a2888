/** What stands beside every page: questions, news, the list of keys, one's own password. */
import { Notifications } from "@mantine/notifications";
import { useSyncExternalStore } from "react";
import { session } from "@/api/session";
import { Questions } from "@/ui/Questions";
import { ChangePassword } from "./ChangePassword";
import { ShortcutsList } from "./ShortcutsList";

export default function Beside() {
  const me = useSyncExternalStore(session.subscribe, session.me);
  return (
    <>
      <Questions />
      <ShortcutsList />
      {me?.kind === "user" && <ChangePassword key={me.id} />}
      {/* At the top: below, panels have the buttons that are wanted next. */}
      <Notifications position="top-center" limit={4} />
    </>
  );
}
