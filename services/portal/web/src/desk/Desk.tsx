import { Page } from "@/ui/Page";

export default function Desk() {
  return <Page title="Desk">{null}</Page>;
}
