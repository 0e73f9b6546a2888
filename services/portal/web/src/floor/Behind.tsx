/** A figure that opens the contacts it was made of. */
import type { MouseEvent, ReactNode } from "react";
import { useGo } from "@/app/go";
import { contactsBehind, type Behind as What } from "./links";
import classes from "./Floor.module.css";

interface Props {
  /** Which contacts, said when it is opened: the figure moves with time. */
  what: () => What;
  /** What opening it shows. */
  label: string;
  children: ReactNode;
}

export function Behind({ what, label, children }: Props) {
  const go = useGo();
  const open = (event: MouseEvent<HTMLAnchorElement>) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    go(contactsBehind(what()));
  };
  return (
    <a href={contactsBehind(what())} className={classes.behind} title={label} onClick={open}>
      {children}
    </a>
  );
}
