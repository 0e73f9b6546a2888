import { Page } from "@/ui/Page";

export default function ApiKeys() {
  return <Page title="ApiKeys">{null}</Page>;
}
