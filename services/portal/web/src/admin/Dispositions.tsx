import { Page } from "@/ui/Page";

export default function Dispositions() {
  return <Page title="Dispositions">{null}</Page>;
}
