import { Page } from "@/ui/Page";

export default function Queues() {
  return <Page title="Queues">{null}</Page>;
}
