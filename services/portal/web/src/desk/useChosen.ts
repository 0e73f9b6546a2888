/** Which of the agent's contacts is looked at. */
import { useEffect, useState } from "react";
import type { DeskWork } from "@/api/types";
import { foremost } from "./work";
import { idOf, isRinging } from "./words";

/** The chosen contact, and choosing one; a new ring comes to the front by itself. */
export function useChosen(works: DeskWork[]): [DeskWork | undefined, (id: string) => void] {
  const [chosen, choose] = useState("");
  const ringing = works.find(isRinging);
  const ring = ringing ? idOf(ringing) : "";
  useEffect(() => {
    if (ring) choose(ring);
  }, [ring]);
  const work =
    works.find((each) => idOf(each) === chosen) ??
    works.find((each) => idOf(each) === foremost(works));
  return [work, choose];
}
