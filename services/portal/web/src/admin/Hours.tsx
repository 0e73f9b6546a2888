import { Page } from "@/ui/Page";

export default function Hours() {
  return <Page title="Hours">{null}</Page>;
}
