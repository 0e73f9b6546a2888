/** The agent's telephone and state, on every page: it goes on ringing wherever the agent is. */
import { lazy, Suspense, useEffect, useState } from "react";
import { createPortal } from "react-dom";
import { useStore } from "@/api/store";
import { usePath } from "@/app/go";
import { CallBar } from "./CallBar";
import { DeskKeys } from "./DeskKeys";
import { LeftNotes } from "./LeftNotes";
import { startPhone } from "./phone/phone";
import { checking } from "./phone/softphone";
import { RingNotice } from "./RingNotice";
import { StatePill } from "./StatePill";
import { useWorks } from "./useWorks";

const DeviceCheck = lazy(() => import("./check/DeviceCheck"));

export default function Runtime() {
  useEffect(startPhone, []);
  const [slot, setSlot] = useState<HTMLElement | null>(null);
  useEffect(() => setSlot(document.getElementById("header-slot")), []);
  const { works } = useWorks();
  const open = useStore(checking);
  const path = usePath();
  // Within its own boundary: the telephone does not wait for words to be fetched.
  return (
    <Suspense fallback={null}>
      {slot && createPortal(<StatePill />, slot)}
      {path !== "/desk" && <CallBar works={works} />}
      <DeskKeys works={works} />
      <RingNotice works={works} />
      <LeftNotes works={works} />
      <Suspense fallback={null}>{open && <DeviceCheck />}</Suspense>
    </Suspense>
  );
}
