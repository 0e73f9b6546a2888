import { Page } from "@/ui/Page";

export default function Flow() {
  return <Page title="Flow">{null}</Page>;
}
