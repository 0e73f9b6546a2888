import { Page } from "@/ui/Page";

export default function Recording() {
  return <Page title="Recording">{null}</Page>;
}
