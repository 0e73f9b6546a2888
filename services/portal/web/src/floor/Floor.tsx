import { Page } from "@/ui/Page";

export default function Floor() {
  return <Page title="Floor">{null}</Page>;
}
