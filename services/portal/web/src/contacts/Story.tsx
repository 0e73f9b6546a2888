import { Page } from "@/ui/Page";

export default function Story() {
  return <Page title="Story">{null}</Page>;
}
